// Report: what a run prints, and which figures it checks.
#pragma once

#include <string>
#include <vector>

#include "phases.h"

namespace otpd::bench {

// A figure that must hold: `value` below `limit`, or above it.
struct Figure {
  enum class Must { stay_below, stay_above };
  std::string name;
  double value;
  Must must;
  double limit;
  bool holds() const { return must == Must::stay_below ? value <= limit : value >= limit; }
};

void print_head(const Services& services);
void print_columns();
// One line for each kind of answer that there was.
void print_phase(const std::string& name, const Load& load, double per_second);
void print_memory(const std::string& when, std::uint64_t bytes);

// Prints a line for each figure that is missed; true if there is none.
bool check_figures(const std::vector<Figure>& figures);

}  // namespace otpd::bench
