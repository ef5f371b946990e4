#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

bool server_is_endpoint(std::string_view text) {
  return parse_endpoint(text).has_value();
}

constexpr Key k_server_keys[] = {
    {.path = "server.mode",
     .binding = at<&Config::server, &ServerConfig::mode>,
     .choices = {"embedded", "cluster"},
     .doc = "\"embedded\": one process that keeps everything in data.dir. \"cluster\": any number "
            "of processes over Redis and PostgreSQL."},
    {.path = "server.role",
     .binding = at<&Config::server, &ServerConfig::role>,
     .choices = {"all", "api", "worker", "audit"},
     .doc = "What this process of a cluster does: \"api\" answers requests, \"worker\" delivers, "
            "\"audit\" moves the audit log to PostgreSQL, \"all\" does all three. `--role worker` "
            "says the same."},
    {.path = "server.listen",
     .binding = at<&Config::server, &ServerConfig::listen>,
     .check = server_is_endpoint,
     .form = "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080",
     .doc = "Where otpd listens. Port 0 takes any free port."},
    {.path = "server.threads",
     .binding = at<&Config::server, &ServerConfig::threads>,
     .max = 64,
     .unit = "threads",
     .doc = "Threads that serve requests; 0 is one per core."},
    {.path = "server.tls_certificate",
     .binding = at<&Config::server, &ServerConfig::tls_certificate>,
     .check = is_line,
     .form = "the path of a PEM file",
     .may_be_empty = true,
     .doc = "The certificate chain for HTTPS. Set it together with server.tls_key; empty is plain "
            "HTTP."},
    {.path = "server.tls_key",
     .binding = at<&Config::server, &ServerConfig::tls_key>,
     .check = is_line,
     .form = "the path of a PEM file",
     .may_be_empty = true,
     .doc = "The private key of server.tls_certificate."},
    {.path = "server.max_header_bytes",
     .binding = at<&Config::server, &ServerConfig::max_header_bytes>,
     .min = 1'024,
     .max = 65'536,
     .unit = "bytes",
     .doc = "The longest request line and header together; more is answered 431."},
    {.path = "server.max_body_bytes",
     .binding = at<&Config::server, &ServerConfig::max_body_bytes>,
     .min = 1'024,
     .max = 65'536,
     .unit = "bytes",
     .doc = "The longest request body; more is answered 413."},
    {.path = "server.max_connections",
     .binding = at<&Config::server, &ServerConfig::max_connections>,
     .min = 1,
     .max = 100'000,
     .unit = "connections",
     .doc = "Open connections; further ones are closed at once."},
    {.path = "server.max_in_flight",
     .binding = at<&Config::server, &ServerConfig::max_in_flight>,
     .min = 1,
     .max = 100'000,
     .unit = "requests",
     .doc = "Requests in progress; further ones are answered 503 at once."},
    {.path = "server.header_timeout_ms",
     .binding = at<&Config::server, &ServerConfig::header_timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "From the first byte of a request to the end of its header."},
    {.path = "server.body_timeout_ms",
     .binding = at<&Config::server, &ServerConfig::body_timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "From the end of the header to the end of the body."},
    {.path = "server.idle_timeout_ms",
     .binding = at<&Config::server, &ServerConfig::idle_timeout>,
     .min = 1'000,
     .max = 600'000,
     .unit = "milliseconds",
     .doc = "How long a connection may stay open between two requests."},
    {.path = "server.request_timeout_ms",
     .binding = at<&Config::server, &ServerConfig::request_timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "How long a request may take; then it is answered 503."},
    {.path = "server.drain_timeout_ms",
     .binding = at<&Config::server, &ServerConfig::drain_timeout>,
     .min = 100,
     .max = 300'000,
     .unit = "milliseconds",
     .doc = "How long a stopping otpd waits for the requests in progress."},
    {.path = "server.trusted_proxies",
     .binding = at<&Config::server, &ServerConfig::trusted_proxies>,
     .check = is_network,
     .form = "addresses or networks such as 10.0.0.0/8, without host bits, no wider than /8 (IPv6: "
             "/7)",
     .doc = "The peers whose Forwarded and X-Forwarded-For fields are believed. Everybody else's "
            "are ignored, or a client could choose the address that its limits count."},
    {.path = "server.public_url",
     .binding = at<&Config::server, &ServerConfig::public_url>,
     .check = is_base_url,
     .form = "an http:// or https:// URL without query, fragment and trailing slash",
     .may_be_empty = true,
     .doc = "The address under which people reach otpd; links in messages begin with it. Empty is "
            "server.listen with http:// (https:// with TLS) before it."},

    {.path = "data.dir",
     .binding = at<&Config::data, &DataConfig::dir>,
     .check = is_line,
     .form = "the path of a folder",
     .doc = "The folder of the database, and of the keys and the admin token unless they are said "
            "to be elsewhere. Made with mode 0700 if it is missing."},
    {.path = "data.backend",
     .binding = at<&Config::data, &DataConfig::backend>,
     .choices = {"sqlite", "memory"},
     .doc = "Where an embedded otpd remembers. \"memory\" forgets everything at the end and is for "
            "tests."},

    {.path = "crypto.hash",
     .binding = at<&Config::crypto, &CryptoConfig::hash>,
     .choices = {"argon2id", "hmac"},
     .doc = "How codes are hashed at rest. \"hmac\" is a keyed hash alone: a thousand times "
            "cheaper, but whoever gets both the database and the keys reads the live codes."},
    {.path = "crypto.argon2_memory_kib",
     .binding = at<&Config::crypto, &CryptoConfig::argon2_memory_kib>,
     .min = 1'024,
     .max = 1'048'576,
     .unit = "KiB",
     .doc = "Memory of one hash. OWASP's equal minima: 7168 KiB with 5 passes, 9216 with 4, 12288 "
            "with 3, 19456 with 2, 47104 with 1."},
    {.path = "crypto.argon2_passes",
     .binding = at<&Config::crypto, &CryptoConfig::argon2_passes>,
     .min = 1,
     .max = 100,
     .unit = "passes",
     .doc = "Passes over that memory."},
    {.path = "crypto.hash_threads",
     .binding = at<&Config::crypto, &CryptoConfig::hash_threads>,
     .max = 64,
     .unit = "threads",
     .doc = "Threads that hash; 0 is one per core."},
    {.path = "crypto.hash_queue",
     .binding = at<&Config::crypto, &CryptoConfig::hash_queue>,
     .min = 1,
     .max = 10'000,
     .unit = "hashes",
     .doc = "Hashes that wait for a thread; further requests are answered 503 at once."},
    {.path = "crypto.key_file",
     .binding = at<&Config::crypto, &CryptoConfig::key_file>,
     .check = is_line,
     .form = "the path of a file",
     .may_be_empty = true,
     .doc = "The key ring, readable by its owner only. Empty is keys.json in data.dir, made at the "
            "first start."},
    {.path = "crypto.keys",
     .binding = at<&Config::crypto, &CryptoConfig::keys>,
     .check = is_lines,
     .form = "the JSON text of a key ring",
     .may_be_empty = true,
     .doc = "The key ring itself instead of crypto.key_file; meant for OTPD_CRYPTO_KEYS in the "
            "environment."},

    {.path = "audit.retention_days",
     .binding = at<&Config::audit, &AuditConfig::retention>,
     .min = 1,
     .max = 3'650,
     .unit = "days",
     .doc = "How long the audit log is kept: 365 for PCI DSS (10.5.1, one year), 2190 for HIPAA "
            "(45 CFR 164.316, six years)."},
    {.path = "audit.checkpoint_s",
     .binding = at<&Config::audit, &AuditConfig::checkpoint_every>,
     .min = 1,
     .max = 86'400,
     .unit = "seconds",
     .doc = "How often the end of the audit log is signed, if it has moved; also once at the end. "
            "What came after the last signature could be cut off unnoticed."},

    {.path = "auth.api_keys",
     .binding = at<&Config::auth, &AuthConfig::api_keys>,
     .check = is_api_key,
     .form = "\"name:\" (or \"application/name:\") and the 64 lower-case hexadecimal digits of a "
             "key's SHA-256, as `otpd key new NAME` prints it",
     .masked = true,
     .doc = "API keys that may call otpd for everything but administration, by name and hash, "
            "besides those that `otpd key create` makes. Each has one name."},
    {.path = "auth.public",
     .binding = at<&Config::auth, &AuthConfig::open_to_public>,
     .per_application = true,
     .doc = "Whether browsers and apps may call /otp/send and /otp/verify without an API key. An "
            "application says so itself, and names its pages in cors_origins."},
    {.path = "auth.cors_origins",
     .binding = at<&Config::auth, &AuthConfig::cors_origins>,
     .check = is_cors_origin,
     .form = "an origin as browsers send it, such as https://shop.example, or *",
     .per_application = true,
     .doc =
         "The web pages that may send and verify from a browser, by their origin. \"*\" is every "
         "one, and needs auth.public. An application names its own, never \"*\": a page without "
         "an API key calls for the application that has its origin."},
    {.path = "auth.admin_token_file",
     .binding = at<&Config::auth, &AuthConfig::admin_token_file>,
     .check = is_line,
     .form = "the path of a file",
     .may_be_empty = true,
     .doc = "The token for /admin, made at the first start. Empty is admin.token in data.dir."},

    {.path = "demo.enabled",
     .binding = at<&Config::demo, &DemoConfig::mode>,
     .choices = {"auto", "true", "false"},
     .doc = "Whether the demo page is served at /demo. \"auto\" serves it on a loopback address "
            "only."},

    {.path = "testing.virtual_clock",
     .binding = at<&Config::testing, &TestingConfig::virtual_clock>,
     .doc = "Whether time stands still and is moved through /admin/test-clock. On a loopback "
            "address only."},

    {.path = "log.level",
     .binding = at<&Config::log, &LogConfig::level>,
     .choices = {"debug", "info", "warn", "error", "off"},
     .doc = "The least important line that is still logged."},
};

}  // namespace

std::span<const Key> server_keys() {
  return k_server_keys;
}

}  // namespace otpd::app
