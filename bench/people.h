// People: as many distinct recipients as a run needs, each with a client address of its own, so
// that no limit of otpd is ever reached.
#pragma once

#include <cstddef>
#include <string>

namespace otpd::bench {

inline constexpr std::size_t k_max_people = 60'000'000;

// The valid phone number of person `index` (below k_max_people) in E.164.
std::string phone_of(std::size_t index);

// The IPv4 address from which that person comes.
std::string address_of(std::size_t index);

}  // namespace otpd::bench
