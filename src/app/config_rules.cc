#include "app/config_rules.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "app/config_forms.h"
#include "app/config_rules_caps.h"
#include "app/config_rules_countries.h"
#include "app/config_rules_origins.h"
#include "app/config_rules_providers.h"
#include "app/config_rules_recipients.h"
#include "app/config_rules_routes.h"
#include "app/config_rules_webhooks.h"

namespace otpd::app {
namespace {

void rule_tls(const RuleBench& bench) {
  const auto& server = bench.config().server;
  if (server.tls_certificate.empty() == server.tls_key.empty()) return;
  const bool has_key = !server.tls_key.empty();
  bench.refuse(has_key ? "server.tls_key" : "server.tls_certificate",
               {"server.tls_key", "server.tls_certificate"},
               std::string("needs ") + (has_key ? "server.tls_certificate" : "server.tls_key") +
                   " with it; set both for HTTPS or none for HTTP");
}

void rule_open_address(const RuleBench& bench) {
  const auto& config = bench.config();
  if (is_loopback(config.server.listen)) return;
  if (config.auth.api_keys.empty() && !config.auth.open_to_public && !bench.loaded.is_overlay) {
    bench.warn(
        "server.listen is reachable from other machines, which may call only with an API key: "
        "`otpd key create NAME` makes one in the running otpd; auth.public opens sending and "
        "verifying to everybody");
  }
  if (config.testing.virtual_clock) {
    bench.refuse("testing.virtual_clock", {"server.listen"},
                 "is for a loopback address only, and server.listen is " +
                     format_endpoint(config.server.listen));
  }
  if (config.server.tls_certificate.empty() && config.server.trusted_proxies.empty()) {
    bench.warn(
        "server.listen is reachable from other machines without TLS: codes and session "
        "tokens travel in the clear unless a proxy that server.trusted_proxies does not "
        "name ends TLS");
  }
}

void rule_mode(const RuleBench& bench) {
  const auto& config = bench.config();
  if (config.server.mode == Mode::embedded) {
    if (config.server.role != Role::all) {
      bench.refuse("server.role", {"server.mode"},
                   "is for server.mode = \"cluster\": an embedded otpd does everything itself");
    }
    return;
  }
  if (config.redis.nodes.empty()) {
    bench.refuse("redis.nodes", {"server.mode"}, "is empty, and a cluster keeps its state there");
  }
  if (config.postgres.url.empty()) {
    bench.refuse("postgres.url", {"server.mode"},
                 "is missing, and a cluster keeps its audit log there");
  }
  if (config.redis.nodes.size() > 1 && !config.redis.cluster) {
    bench.refuse("redis.nodes", {"redis.cluster"},
                 "names several servers, but redis.cluster is false");
  }
  if (config.crypto.keys.empty()) {
    bench.warn(
        "crypto.keys is not set: every process of the cluster must have the same key ring in "
        "crypto.key_file");
  }
  if (config.data.backend == Backend::memory) {
    bench.refuse("data.backend", {"server.mode"}, "is for an embedded otpd");
  }
  if (config.testing.virtual_clock && config.server.role != Role::all) {
    bench.refuse("testing.virtual_clock", {"server.role"},
                 "is for one process that does everything: the others would have another time");
  }
}

void rule_links(const RuleBench& bench) {
  const auto& config = bench.config();
  const auto origin = bench.loaded.origins.find("server.public_url");
  const bool derived =
      origin == bench.loaded.origins.end() || origin->second.kind == Origin::Kind::derived;
  if (derived && is_wildcard(config.server.listen)) {
    bench.warn(
        "server.public_url is not set and server.listen is no address that people can "
        "open: links in messages lead nowhere");
  }
  const auto url = parse_url(config.server.public_url);
  if (url && url->scheme == "http" && !is_loopback(*url) && !is_wildcard(config.server.listen)) {
    bench.warn("server.public_url is not https: links in messages carry their tokens in the clear");
  }
}

void rule_keys(const RuleBench& bench) {
  const auto& crypto = bench.config().crypto;
  if (!crypto.keys.empty() && !crypto.key_file.empty()) {
    bench.refuse("crypto.keys", {"crypto.key_file"},
                 "excludes crypto.key_file (" +
                     describe(origin_of(bench.loaded, "crypto.key_file")) + "); set one of them");
  }
}

// OWASP Password Storage Cheat Sheet, Argon2id with one lane.
bool rule_is_owasp(const CryptoConfig& crypto) {
  struct Pair {
    std::uint32_t memory_kib, passes;
  };
  constexpr Pair k_minima[] = {{47'104, 1}, {19'456, 2}, {12'288, 3}, {9'216, 4}, {7'168, 5}};
  return std::ranges::any_of(k_minima, [&](const Pair& least) {
    return crypto.argon2_memory_kib >= least.memory_kib && crypto.argon2_passes >= least.passes;
  });
}

void rule_hash(const RuleBench& bench) {
  const auto& crypto = bench.config().crypto;
  if (crypto.hash == CodeHash::hmac) {
    bench.warn(
        "crypto.hash is hmac: whoever gets both the database and the keys reads the live "
        "codes at once");
  } else if (!rule_is_owasp(crypto)) {
    bench.warn(
        "crypto.argon2_memory_kib and crypto.argon2_passes are below OWASP's minima for "
        "Argon2id");
  }
}

void rule_delivery(const RuleBench& bench) {
  const auto& delivery = bench.config().delivery;
  if (delivery.lease <= delivery.provider_timeout) {
    bench.refuse("delivery.lease_s", {"delivery.provider_timeout_ms"},
                 "must be longer than delivery.provider_timeout_ms (" +
                     std::to_string(delivery.provider_timeout.count()) +
                     "), or a message would be sent twice");
  }
  if (delivery.retry_max < delivery.retry_base) {
    bench.refuse("delivery.retry_max_ms", {"delivery.retry_base_ms"},
                 "must not be less than delivery.retry_base_ms (" +
                     std::to_string(delivery.retry_base.count()) + ")");
  }
}

void rule_templates(const RuleBench& bench) {
  std::vector<std::string> purposes;
  for (const auto& [name, _] : bench.config().purposes) purposes.push_back(name);
  for (const auto& [purpose, channels] : bench.config().messages.templates) {
    for (const auto& [channel, locales] : channels) {
      for (const auto& [locale, text] : locales) {
        const auto path = "messages.templates." + purpose + "." + channel + "." + locale;
        if (!bench.config().purposes.contains(purpose)) {
          bench.refuse(path, {},
                       "there is no [purposes." + purpose + "]" + suggest(purpose, purposes));
        } else if (bench.checks.message_template) {
          const auto wrong = bench.checks.message_template(purpose, channel, locale, text);
          if (wrong) bench.refuse(path, {}, *wrong);
        }
      }
    }
  }
}

void rule_api_keys(const RuleBench& bench) {
  const auto& applications = bench.loaded.applications;
  std::set<std::string> names;
  std::map<std::string, std::string> names_of_hashes;
  for (const auto& key : bench.config().auth.api_keys) {
    const std::string name = key.substr(0, key.find(':'));
    const auto slash = name.find('/');
    if (slash != std::string::npos && !applications.contains(name.substr(0, slash))) {
      bench.refuse("auth.api_keys", {},
                   "holds a key of " + name.substr(0, slash) + ", which is no application");
    }
    if (!names.insert(name).second) {
      bench.refuse("auth.api_keys", {}, "holds the name " + name + " twice");
    } else if (const auto [other, is_new] = names_of_hashes.emplace(key.substr(name.size()), name);
               !is_new) {
      bench.refuse("auth.api_keys", {},
                   "holds one key under the names " + other->second + " and " + name);
    }
  }
}

// The limits forget what is older than their windows, and friction counts what they remember.
void rule_friction(const RuleBench& bench) {
  const auto& config = bench.config();
  const Seconds window = config.friction.window;
  for (const auto& [path, limit] :
       {std::pair("limits.recipient_window_s", config.limits.recipient_window),
        std::pair("limits.ip_window_s", config.limits.ip_window)}) {
    if (window <= limit) continue;
    bench.refuse("friction.window_s", {path}, std::string("is longer than ") + path);
  }
}

void rule_captcha(const RuleBench& bench) {
  const auto& friction = bench.config().friction;
  if (friction.captcha == Captcha::altcha) return;
  if (friction.captcha_site_key.empty()) {
    bench.refuse("friction.captcha_site_key", {"friction.captcha"},
                 "is missing: clients could not show the captcha");
  }
  if (friction.captcha_secret.empty()) {
    bench.refuse("friction.captcha_secret", {"friction.captcha"},
                 "is missing: the vendor would not answer");
  }
  const auto url = parse_url(friction.captcha_verify_url);
  if (url && url->scheme != "https" && !is_loopback(*url)) {
    bench.refuse("friction.captcha_verify_url", {},
                 "must be https: the secret goes there, and everybody in between could say yes");
  }
}

void rule_sessions(const RuleBench& bench) {
  const auto& session = bench.config().session;
  if (session.idle_lifetime <= session.lifetime) return;
  bench.refuse(
      "session.idle_lifetime_s", {"session.lifetime_s"},
      "is longer than session.lifetime_s (" + std::to_string(session.lifetime.count()) + ")");
}

// Secrets where other users of the machine can read them.
void rule_exposed_secrets(const RuleBench& bench) {
  for (const auto& [path, origin] : bench.loaded.origins) {
    Names names;
    const Key* key = find_key(split_path(path), {}, names);
    if (origin.kind != Origin::Kind::flag || !key || !key->binding.secret) continue;
    bench.warn(path + " is given by a flag: every user of this machine can read it");
  }
}

void rule_or(LoadedConfig& loaded, const std::string& path, std::string& value,
             const std::string& derived, const std::string& from) {
  if (!value.empty()) return;
  value = derived;
  loaded.origins[path] = {Origin::Kind::derived, from};
}

}  // namespace

void derive(LoadedConfig& loaded) {
  Config& config = loaded.config;
  const auto& origins = loaded.origins;
  auto& server = config.server;
  const std::string scheme = server.tls_certificate.empty() ? "http://" : "https://";
  rule_or(loaded, "server.public_url", server.public_url, scheme + format_endpoint(server.listen),
          "server.listen");
  if (config.crypto.keys.empty()) {
    rule_or(loaded, "crypto.key_file", config.crypto.key_file,
            std::filesystem::path(config.data.dir) / "keys.json", "data.dir");
  }
  rule_or(loaded, "auth.admin_token_file", config.auth.admin_token_file,
          std::filesystem::path(config.data.dir) / "admin.token", "data.dir");
  if (const auto url = parse_url(server.public_url)) {
    rule_or(loaded, "messages.webotp_host", config.messages.webotp_host, url->host,
            "server.public_url");
    if (config.friction.captcha_hosts.empty()) {
      config.friction.captcha_hosts = {url->host};
      loaded.origins["friction.captcha_hosts"] = {Origin::Kind::derived, "server.public_url"};
    }
  }
  for (auto& [name, purpose] : config.purposes) {
    if (!purpose.link) continue;
    rule_or(loaded, "purposes." + name + ".link_url", purpose.link_url,
            server.public_url + "/demo#token={token}", "server.public_url");
  }
  for (auto& [name, provider] : config.providers) {
    const std::string path = "providers." + name + ".";
    auto& smtp = provider.smtp;
    // A password is not to be trusted to a server that may, or may not, offer STARTTLS.
    if (provider.kind != ProviderKind::smtp || smtp.user.empty() ||
        !smtp.url.starts_with("smtp://") || origins.contains(path + "require_tls")) {
      continue;
    }
    smtp.require_tls = true;
    loaded.origins[path + "require_tls"] = {Origin::Kind::derived, path + "user"};
  }
  const bool local = is_loopback(server.listen);
  config.demo.enabled =
      config.demo.mode == DemoMode::on || (config.demo.mode == DemoMode::automatic && local);
}

void judge(LoadedConfig& loaded, const ConfigChecks& checks, const std::set<std::string>& failed,
           Problems& problems) {
  const RuleBench bench{loaded, checks, failed, problems};
  for (const auto rule :
       {rule_mode,     rule_tls,        rule_open_address, rule_links,      rule_keys,
        rule_hash,     rule_delivery,   judge_routes,      judge_providers, judge_test_recipients,
        judge_caps,    judge_webhooks,  rule_templates,    rule_friction,   rule_captcha,
        rule_sessions, judge_countries, rule_api_keys,     judge_origins,   rule_exposed_secrets}) {
    rule(bench);
  }
}

}  // namespace otpd::app
