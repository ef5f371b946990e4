// Otpd: the whole service in one process, put together by hand.
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "base/result.h"

namespace otpd::app {

class Otpd {
 public:
  // Opens the data, starts the threads and listens. Fails with what the operator must change.
  // `config` has come from load_config; it must outlive the service.
  static Result<std::unique_ptr<Otpd>> start(const Config& config);

  virtual ~Otpd() = default;

  // The address it answers on, e.g. "http://127.0.0.1:8080".
  virtual std::string url() const = 0;

  // Stops accepting, answers what is in progress, ends the tries to deliver that are under way,
  // and writes what there is to write; within `server.drain_timeout`. Blocks.
  virtual void drain() = 0;
};

}  // namespace otpd::app
