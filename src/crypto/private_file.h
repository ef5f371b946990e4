// Files that hold secrets: mode 0600, replaced atomically, read with a limit.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace otpd::crypto {

// The whole of a regular file of at most `max_bytes` that its owner alone can use. Failures:
// unavailable if there is none; invalid if others can use it, it is too long or no regular file;
// internal with the system's reason. Blocks.
Result<Secret> read_private_file(const std::filesystem::path& path, std::size_t max_bytes);

enum class IfExists : bool { replace, keep };

// Writes `path` with mode 0600 so that it is there whole or not at all, even after a power loss:
// written aside, synced, then given its name in one step. With `keep` a file of that name stays
// as it is, and the answer is false. Failure::internal with the system's reason. Blocks.
Result<bool> write_private_file(const std::filesystem::path& path, std::string_view bytes,
                                IfExists if_exists);

}  // namespace otpd::crypto
