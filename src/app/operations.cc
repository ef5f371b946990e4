#include "app/operations.h"

#include <fmt/format.h>

#include <ostream>

#include "app/admin_client.h"
#include "base/visible_text.h"

namespace otpd::app {
namespace {

using nlohmann::json;

struct AdminCall {
  const char* method;
  std::string path;
};

std::string user_target(const CommandLine& command, const std::string& rest) {
  const std::string& application = command.application;
  return "/admin/users/" + command.argument + rest +
         (application.empty() ? "" : "?application=" + application);
}

AdminCall call_of(const CommandLine& command) {
  switch (command.action) {
    case Action::provider_disable:
      return {"POST", "/admin/providers/" + command.argument + "/disable"};
    case Action::provider_enable:
      return {"POST", "/admin/providers/" + command.argument + "/enable"};
    case Action::queue_show:
      return {"GET", "/admin/queue"};
    case Action::letters_list:
      return {"GET", "/admin/dead-letters?limit=1000"};
    case Action::letter_requeue:
      return {"POST", "/admin/dead-letters/" + command.argument + "/requeue"};
    case Action::verification_show:
      return {"GET", "/admin/verifications/" + command.argument};
    case Action::factor_list:
      return {"GET", user_target(command, "/factors")};
    case Action::factor_remove:
      return {"DELETE", user_target(command, "/factors/" + command.factor)};
    case Action::factor_unlock:
      return {"POST", user_target(command, "/unlock")};
    default:
      return {"GET", "/admin/providers"};
  }
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  // What callers have named is shown as it is and does nothing to the terminal.
  return spell_hidden(found->is_string() ? found->get<std::string>() : found->dump());
}

void print_providers(const json& body, std::ostream& out) {
  out << fmt::format("{:<20} {:<10} {:>8} {:>7} {:>8} {:>8}  {}\n", "provider", "state", "tries/s",
                     "errors", "p50 s", "p99 s", "why");
  for (const json& lane : body.at("providers")) {
    const std::string until = text_of(lane, "until");
    out << fmt::format("{:<20} {:<10} {:>8.2f} {:>6.1f}% {:>8.3f} {:>8.3f}  {}{}\n",
                       text_of(lane, "name"), text_of(lane, "state"), lane.value("per_second", 0.0),
                       100 * lane.value("error_rate", 0.0), lane.value("p50_seconds", 0.0),
                       lane.value("p99_seconds", 0.0), text_of(lane, "reason"),
                       until.empty() ? "" : ", until " + until);
  }
}

void print_letters(const json& body, std::ostream& out) {
  out << fmt::format("{:<32} {:<26} {:>5}  {}\n", "id", "given up at", "tries", "why");
  for (const json& letter : body.at("dead_letters")) {
    out << fmt::format("{:<32} {:<26} {:>5}  {}\n", text_of(letter, "id"),
                       text_of(letter, "died_at"), text_of(letter, "attempts"),
                       text_of(letter, "reason"));
  }
}

void print_factors(const json& body, std::ostream& out) {
  out << fmt::format("{:<18} {:<6} {:<8} {:<26} {:<26} {}\n", "factor", "type", "status",
                     "last used", "locked until", "name");
  for (const json& factor : body.at("factors")) {
    out << fmt::format("{:<18} {:<6} {:<8} {:<26} {:<26} {}\n", text_of(factor, "factor_id"),
                       text_of(factor, "type"), text_of(factor, "status"),
                       text_of(factor, "last_used_at"), text_of(factor, "locked_until"),
                       text_of(factor, "name"));
  }
  const json& recovery = body.at("recovery_codes");
  const std::string locked = text_of(recovery, "locked_until");
  out << fmt::format("recovery codes left: {}{}\n", text_of(recovery, "left"),
                     locked.empty() ? "" : ", locked until " + locked);
}

void print_timeline(const json& body, std::ostream& out) {
  for (const char* name : {"verification_id", "status", "purpose", "channel", "country"}) {
    if (body.contains(name)) out << fmt::format("{:<16} {}\n", name, text_of(body, name));
  }
  for (const json& step : body.at("timeline")) {
    out << fmt::format("{:<26} {:<16} {:<16} {}\n", text_of(step, "at"), text_of(step, "what"),
                       text_of(step, "provider"), text_of(step, "detail"));
  }
}

void print_unlocked(const json& body, std::ostream& out) {
  out << (body.value("unlocked", false) ? "unlocked\n"
                                        : "nothing to unlock: no wrong codes are remembered\n");
}

void print_answer(Action action, const json& body, std::ostream& out) {
  if (action == Action::providers_list) return print_providers(body, out);
  if (action == Action::letters_list) return print_letters(body, out);
  if (action == Action::verification_show) return print_timeline(body, out);
  if (action == Action::factor_list) return print_factors(body, out);
  if (action == Action::factor_remove) out << "removed\n";
  if (action == Action::factor_unlock) return print_unlocked(body, out);
  for (const auto& [name, value] : body.items()) {
    out << fmt::format("{:<20} {}\n", name, text_of(body, name.c_str()));
  }
}

}  // namespace

int run_operation(const CommandLine& command, const Config& config, std::ostream& out,
                  std::ostream& err) {
  const auto client = AdminClient::make(config);
  const AdminCall wanted = call_of(command);
  const auto body = client ? (*client)->ask(wanted.method, wanted.path)
                           : Result<json>(std::unexpected(client.error()));
  if (!body) {
    err << "otpd: " << body.error().message << "\n";
    return 1;
  }
  print_answer(command.action, *body, out);
  return 0;
}

}  // namespace otpd::app
