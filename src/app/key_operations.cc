#include "app/key_operations.h"

#include <fmt/format.h>

#include <ostream>

#include "app/admin_client.h"

namespace otpd::app {
namespace {

using nlohmann::json;

std::string key_text(const json& key, const char* name) {
  const auto found = key.find(name);
  if (found == key.end()) return "";
  if (!found->is_array()) return found->get<std::string>();
  std::string text;
  for (const json& one : *found) text += (text.empty() ? "" : ",") + one.get<std::string>();
  return text;
}

// Of the live key of that name.
Result<std::string> key_id(AdminClient& client, const Config& config, const KeyRequest& wanted) {
  const auto body = client.ask("GET", "/admin/keys");
  if (!body) return std::unexpected(body.error());
  const std::string application =
      wanted.application.empty() ? config.otp.application : wanted.application;
  bool configured = false;
  for (const json& key : body->at("keys")) {
    if (key_text(key, "name") != wanted.name || key_text(key, "application") != application ||
        key_text(key, "status") != "active") {
      continue;
    }
    if (key.contains("id")) return key_text(key, "id");
    configured = true;
  }
  if (configured) {
    return fail(Failure::invalid,
                fmt::format("the API key {} of the application {} stands in the configuration: "
                            "change it there, in auth.api_keys, and restart otpd",
                            wanted.name, application));
  }
  return fail(Failure::invalid, fmt::format("the application {} has no live API key named {}",
                                            application, wanted.name));
}

json new_key_body(const KeyRequest& wanted) {
  json body{{"name", wanted.name}};
  if (!wanted.application.empty()) body["application"] = wanted.application;
  if (!wanted.scopes.empty()) body["scopes"] = wanted.scopes;
  if (wanted.expires_in) body["expires_in"] = wanted.expires_in->count();
  return body;
}

Result<json> ask_about_key(AdminClient& client, const Config& config, const CommandLine& command) {
  if (command.action == Action::key_list) return client.ask("GET", "/admin/keys");
  if (command.action == Action::key_create) {
    return client.ask("POST", "/admin/keys", new_key_body(command.key));
  }
  const auto id = key_id(client, config, command.key);
  if (!id) return std::unexpected(id.error());
  if (command.action == Action::key_revoke) return client.ask("DELETE", "/admin/keys/" + *id);
  json body = json::object();
  if (command.key.overlap) body["overlap"] = command.key.overlap->count();
  return client.ask("POST", "/admin/keys/" + *id + "/rotate", body);
}

void print_keys(const json& body, std::ostream& out) {
  out << fmt::format("{:<20} {:<16} {:<8} {:<30} {:<24} {:<24} {}\n", "name", "application",
                     "status", "scopes", "last used", "expires", "id");
  for (const json& key : body.at("keys")) {
    out << fmt::format("{:<20} {:<16} {:<8} {:<30} {:<24} {:<24} {}\n", key_text(key, "name"),
                       key_text(key, "application"), key_text(key, "status"),
                       key_text(key, "scopes"), key_text(key, "last_used_at"),
                       key_text(key, "expires_at"),
                       key.contains("id") ? key_text(key, "id") : "(configuration)");
  }
}

void print_issued(const json& key, std::ostream& out, std::ostream& err) {
  err << fmt::format("The API key {} of the application {}, for {}; its secret, shown this once:\n",
                     key_text(key, "name"), key_text(key, "application"), key_text(key, "scopes"));
  out << key_text(key, "secret") << "\n";
  const std::string overlap = key_text(key, "overlap_ends_at");
  if (!overlap.empty()) err << "The secret before it works until " << overlap << ".\n";
}

}  // namespace

int run_key_operation(const CommandLine& command, const Config& config, std::ostream& out,
                      std::ostream& err) {
  const auto client = AdminClient::make(config);
  const auto body = client ? ask_about_key(**client, config, command)
                           : Result<json>(std::unexpected(client.error()));
  if (!body) {
    err << "otpd: " << body.error().message << "\n";
    return 1;
  }
  if (command.action == Action::key_list) {
    print_keys(*body, out);
  } else if (command.action == Action::key_revoke) {
    err << fmt::format("The API key {} is revoked.\n", key_text(*body, "name"));
  } else {
    print_issued(*body, out, err);
  }
  return 0;
}

}  // namespace otpd::app
