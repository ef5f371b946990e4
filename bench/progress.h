// Progress: one line on a terminal that says what is going on; nothing elsewhere.
#pragma once

#include <cstddef>
#include <string>

namespace otpd::bench {

class Progress {
 public:
  explicit Progress(std::string doing);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t done, std::size_t of) const;

 private:
  const std::string doing_;
  const bool terminal_;
};

}  // namespace otpd::bench
