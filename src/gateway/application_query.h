// What operators add to a path to say which application they mean.
#pragma once

#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {

// The application that ?application= names, or the base one; the query may hold nothing else.
Checked<const Application*> read_application(const Service& service, const Call& call);

}  // namespace otpd::gateway
