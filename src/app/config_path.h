// Paths: how a key is called in the file, in the environment and on the command line, and which
// one was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_key.h"

namespace otpd::app {

using Path = std::vector<std::string>;

Path split_path(std::string_view text);
// For people: segments joined by dots, odd ones quoted, cut when very long.
std::string show_path(const Path& path);

// Whether the pattern's fixed segments are the path's; `names` gets what its stars stand for.
bool matches(std::string_view pattern, const Path& path, Names& names);
// The pattern with its stars replaced by the names.
std::string fill(std::string_view pattern, const Names& names);
// Whether a table belongs at that path: it is a section, or leads to one.
bool is_section(const Path& path);

// The row of that path, or null. Where several kinds of provider have it, the one of `kind`; with
// an empty `kind`, the first.
const Key* find_key(const Path& path, std::string_view kind, Names& names);

// Why these names cannot stand in that pattern, or empty.
std::string wrong_names(std::string_view pattern, const Names& names);

// The key's variable: "OTPD_SERVER_LISTEN".
std::string environment_name(std::string_view path);
// The path whose variable that is; the names of purposes and providers come out of it.
std::optional<Path> environment_path(std::string_view variable);

// "; did you mean server.listen?", or empty when nothing is near. Of the names of purposes and
// providers, those of `config` count.
std::string suggest_key(const Path& path, const Config& config);
std::string suggest_variable(std::string_view variable, const Config& config);
std::string suggest(std::string_view word, std::span<const std::string> words);

// What the stars of a section's pattern stand for in `config`; one empty list without stars.
std::vector<Names> section_names(std::string_view pattern, const Config& config);
// The kind of the provider that the names name, if the pattern is a provider's; else empty.
std::string provider_kind(std::string_view pattern, const Names& names, const Config& config);

}  // namespace otpd::app
