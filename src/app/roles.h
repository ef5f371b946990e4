// Roles: what a process does, and what it needs for it.
#pragma once

#include "app/config.h"
#include "storage/cluster.h"

namespace otpd::app {

struct Duties {
  bool serves = true;    // applications: /otp, /session, /admin, /callbacks
  bool delivers = true;  // jobs to carriers and endpoints
  bool audits = true;    // moves the audit log to where it is kept, and tends it
};

Duties duties_of(const ServerConfig& config);

// Whether the process is not ready while PostgreSQL is away: if it writes there itself, or if no
// code may be accepted without its word.
bool needs_postgres(const Config& config);

storage::ClusterConfig make_cluster_config(const Config& config);

}  // namespace otpd::app
