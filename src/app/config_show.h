// config_show: a Config as TOML, for people.
#pragma once

#include <string>

#include "app/config_load.h"

namespace otpd::app {

// Every effective value, with where it comes from as a comment; what is secret as "********".
std::string show_config(const LoadedConfig& loaded);

// The same of what one of the applications says for itself: of the base one, whatever the others
// inherit and is not at its default.
std::string show_application(const LoadedConfig& loaded, const std::string& name);

// The documented file of all defaults: config/otpd.toml, byte for byte.
std::string default_config_file();

}  // namespace otpd::app
