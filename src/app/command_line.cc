#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "app/config_forms.h"
#include "app/config_path.h"
#include "app/config_show.h"

namespace otpd::app {
namespace {

constexpr const char* k_footer =
    "Every key of the configuration is also a flag, --section.key=value, and an environment\n"
    "variable, OTPD_SECTION_KEY; `otpd config default` lists and explains them. A flag beats the\n"
    "environment, which beats the file.";

// Whether it sets a key: "--section.key" or "--section.key=value".
bool command_is_key_flag(std::string_view argument) {
  return argument.starts_with("--") && argument.substr(0, argument.find('=')).contains('.');
}

CommandLine command_print(std::string text, int exit_code) {
  if (!text.ends_with('\n')) text += '\n';
  CommandLine command;
  command.action = Action::print;
  command.text = std::move(text);
  command.exit_code = exit_code;
  return command;
}

CommandLine command_mistake(const std::string& text) {
  return command_print("otpd: " + text + "\nTry `otpd --help`.", 2);
}

// `word` without a value that could be a secret.
CommandLine command_unknown(const std::string& word) {
  const std::vector<std::string> known{
      "--config",      "--role",  "--help",       "--version",      "config",       "keys",
      "key",           "check",   "show",         "default",        "rotate",       "new",
      "providers",     "queue",   "dead-letters", "verification",   "list",         "disable",
      "enable",        "requeue", "audit",        "search",         "export",       "verify",
      "--phone",       "--email", "--user",       "--verification", "--type",       "--from",
      "--to",          "--limit", "--format",     "--out",          "--public-key", "app",
      "--application", "create",  "revoke",       "--app",          "--scopes",     "--expires-in",
      "--overlap"};
  const auto name = word.substr(0, word.find('='));
  return command_mistake("unknown argument: " + name + suggest(name, known));
}

// An empty value is a variable that was not set rather than a wish: what would it mean? Of this
// command and all of its own.
void command_refuse_empty(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;  // a flag
    option->check([](const std::string& value) { return value.empty() ? "is empty" : ""; });
  }
  for (CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    command_refuse_empty(*child);
  }
}

// CLI11's view of the command line, bound to what it fills in.
struct CommandParser {
  CommandLine command;
  bool version = false;
  std::string role;
  CLI::App app{"otpd: a self-hosted one-time-password service.", "otpd"};

  CommandParser() {
    app.footer(k_footer);
    app.fallthrough();
    app.allow_extras();
    app.add_option("--config", command.config_file, "Read this file; without it, the defaults hold")
        ->type_name("FILE");
    app.add_flag("--version", version, "Print the version");
    app.add_option("--role", role, "What this process of a cluster does: all, api, worker or audit")
        ->type_name("ROLE");
    add_config(*add(app, "config", "The configuration"));
    add_keys(*add(app, "keys", "The key ring"));
    add_api_keys(*add(app, "key", "API keys"));
    auto* applications = add(app, "app", "Applications: each apart from the others");
    add_action(*applications, "list", Action::app_list, "Print their names");
    add_named(*applications, "show", Action::app_show, "NAME", "Print what is different there");
    add_operations();
    add_factors(*add(app, "factor", "Authenticator apps of a user, in the running otpd"));
    add_audit(*add(app, "audit", "The audit log of the running otpd"));
    command_refuse_empty(app);
  }

  void add_factors(CLI::App& factor) {
    add_named(factor, "list", Action::factor_list, "USER", "What a user has, and what is locked");
    add_named(factor, "remove", Action::factor_remove, "USER", "Remove one of them")
        ->add_option("FACTOR", command.factor, "The factor's id")
        ->required();
    add_named(factor, "unlock", Action::factor_unlock, "USER", "Open what wrong codes have closed");
    for (CLI::App* one : factor.get_subcommands([](const CLI::App*) { return true; })) {
      add_application(*one, command.application, "Of this application");
    }
  }

  void add_api_keys(CLI::App& key) {
    KeyRequest& request = command.key;
    const auto add_key = [&](const char* name, Action action, const char* help) {
      auto* child = add_action(key, name, action, help);
      child->add_option("NAME", request.name, "What the key is called")->required();
      return child;
    };
    auto* create = add_key("create", Action::key_create,
                           "Have the running otpd make a key, and print its secret this once");
    create->add_option("--scopes", request.words.scopes,
                       "Of send, verify, sessions, factors, admin; all but admin without");
    create->add_option("--expires-in", request.words.expires_in, "Such as 90d; never without");
    add_action(key, "list", Action::key_list, "The keys of the running otpd");
    auto* rotate = add_key("rotate", Action::key_rotate, "Another secret under the same name");
    rotate->add_option("--overlap", request.words.overlap,
                       "For how long the one before still works (24h)");
    auto* revoke = add_key("revoke", Action::key_revoke, "End a key at once");
    for (CLI::App* one : {create, rotate, revoke}) {
      add_application(*one, request.application, "The key's application, by name");
    }
    add_key("new", Action::key_new, "Make a key for auth.api_keys, without a running otpd");
  }

  void add_operations() {
    constexpr const char* the_running = "Ask the running otpd";
    auto* providers = add(app, "providers", the_running);
    add_action(*providers, "list", Action::providers_list, "Providers, rates and circuits");
    add_named(*providers, "disable", Action::provider_disable, "NAME", "Take it out of use");
    add_named(*providers, "enable", Action::provider_enable, "NAME", "Take it into use again");
    auto* queue = add(app, "queue", the_running);
    add_action(*queue, "show", Action::queue_show, "What waits for delivery");
    auto* letters = add(app, "dead-letters", the_running);
    add_action(*letters, "list", Action::letters_list, "Messages that were given up");
    add_named(*letters, "requeue", Action::letter_requeue, "ID", "Try one again");
    auto* verification = add(app, "verification", the_running);
    add_named(*verification, "show", Action::verification_show, "ID", "Its timeline");
  }

  void add_audit(CLI::App& audit) {
    AuditRequest& request = command.audit;
    auto* search = add_action(audit, "search", Action::audit_search, "Print events, newest first");
    search->add_option("--phone", request.phone, "Of this phone, in any spelling");
    search->add_option("--email", request.email, "Of this e-mail address");
    add_application(*search, request.application, "Of this application");
    search->add_option("--user", request.user, "Of this user id");
    search->add_option("--verification", request.verification, "Of this verification");
    search->add_option("--type", request.type, "Of this type, such as verify_fail");
    search->add_option("--limit", request.limit, "How many at most (100)")
        ->check(CLI::Range(1, 1'000'000'000));
    search->add_option("--format", request.words.format, "table, csv or ndjson");
    auto* out = add_action(audit, "export", Action::audit_export, "Write lines with their proof");
    out->add_option("--out", request.out_file, "Write this file instead of the standard output");
    auto* verify = add_action(audit, "verify", Action::audit_verify,
                              "Prove lines complete and unaltered, or name the first that is not");
    verify->add_option("FILE", request.file, "An export, checked without any otpd");
    verify->add_option("--public-key", request.words.public_key,
                       "Who must have signed, in hexadecimal");
    for (CLI::App* one : {search, out, verify}) {
      one->add_option("--from", request.words.from, "From this time or day on (RFC 3339, UTC)");
      one->add_option("--to", request.words.to, "Before this time or day");
    }
  }

  CLI::App* add_named(CLI::App& parent, const char* name, Action action, const char* what,
                      const char* help) {
    auto* child = add_action(parent, name, action, help);
    child->add_option(what, command.argument)->required();
    return child;
  }

  // Under one name everywhere; the long one is taken, too.
  static void add_application(CLI::App& child, std::string& to, const char* help) {
    child.add_option("--app,--application", to, help)->type_name("NAME");
  }

  static CLI::App* add(CLI::App& parent, const char* name, const char* help) {
    auto* child = parent.add_subcommand(name, help);
    child->fallthrough();
    return child;
  }

  CLI::App* add_action(CLI::App& parent, const char* name, Action action, const char* help) {
    auto* child = add(parent, name, help);
    child->callback([this, action] { command.action = action; });
    return child;
  }

  void add_config(CLI::App& config) {
    add_action(config, "check", Action::config_check, "Say whether it can be used");
    add_action(config, "show", Action::config_show,
               "Print what is in effect and where it comes from");
    add_action(config, "default", Action::config_default, "Print the documented file of defaults");
  }

  void add_keys(CLI::App& keys) {
    add_action(keys, "show", Action::keys_show, "Print ids and dates, no key");
    add_action(keys, "rotate", Action::keys_rotate, "Add a generation and make it the active one");
  }
};

// What is wrong with the subcommands: a group without one of its own, or with several.
std::string command_missing(const CLI::App& app) {
  const auto groups = app.get_subcommands();
  if (groups.size() > 1) return "unknown argument: " + groups[1]->get_name();
  if (groups.empty()) return {};
  const auto chosen = groups[0]->get_subcommands();
  if (chosen.size() > 1) return "unknown argument: " + chosen[1]->get_name();
  if (!chosen.empty()) return {};
  std::string known;
  for (const auto* child : groups[0]->get_subcommands([](const CLI::App*) { return true; })) {
    known += (known.empty() ? "" : ", ") + child->get_name();
  }
  return groups[0]->get_name() + " needs one of " + known;
}

CommandLine command_finish(CommandParser& parser, std::vector<std::string> flags) {
  if (const auto extras = parser.app.remaining(true); !extras.empty()) {
    return command_unknown(extras.front());
  }
  if (parser.version) return command_print("otpd " OTPD_VERSION, 0);
  if (const auto missing = command_missing(parser.app); !missing.empty()) {
    return command_mistake(missing);
  }
  for (const std::string& word :
       {parser.command.argument, parser.command.factor, parser.command.application}) {
    if (!std::ranges::all_of(
            word, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; })) {
      return command_mistake("not a name or an id: " + word);
    }
  }
  for (const std::string& name : {parser.command.key.name, parser.command.key.application}) {
    if (name.empty() || is_api_key_name(name)) continue;
    return command_mistake(
        "the name of an API key or application is a to z, 0 to 9, _ and -, beginning with a "
        "letter, at most 64");
  }
  if (auto wrong = read_words(parser.command.key)) return command_mistake(*wrong);
  if (!parser.role.empty()) flags.push_back("--server.role=" + parser.role);
  if (auto wrong = read_words(parser.command.audit)) return command_mistake(*wrong);
  parser.command.flags = std::move(flags);
  return std::move(parser.command);
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  std::vector<std::string> flags;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    (command_is_key_flag(argv[i]) ? flags : words).emplace_back(argv[i]);
  }
  // Before anything else: the next word may be the value, and secret.
  for (const auto& flag : flags) {
    if (!flag.contains('=')) return command_mistake(flag + " needs a value: " + flag + "=VALUE");
  }
  std::ranges::reverse(words);  // as CLI11 wants them
  CommandParser parser;
  try {
    parser.app.parse(words);
  } catch (const CLI::CallForHelp&) {
    return command_print(parser.app.help("", CLI::AppFormatMode::All), 0);
  } catch (const CLI::ParseError& error) {
    return command_mistake(error.what());
  }
  return command_finish(parser, std::move(flags));
}

int run_config_command(const CommandLine& command, const LoadRequest& request, std::ostream& out,
                       std::ostream& err) {
  if (command.action == Action::config_default) {
    out << default_config_file();
    return 0;
  }
  const auto loaded = load_config(request);
  if (!loaded) {
    err << "otpd: " << describe(loaded.error());
    return 2;
  }
  for (const auto& warning : loaded->warnings) err << "warning: " << warning << "\n";
  if (command.action == Action::config_show) {
    out << show_config(*loaded);
  } else if (command.action == Action::app_list) {
    out << loaded->config.otp.application << "\n";
    for (const auto& [name, _] : loaded->config.applications) out << name << "\n";
  } else if (command.action == Action::app_show) {
    if (!loaded->applications.contains(command.argument)) {
      err << "otpd: there is no [applications." << command.argument << "]\n";
      return 2;
    }
    out << show_application(*loaded, command.argument);
  } else {
    out << "The configuration is fine.\n";
  }
  return 0;
}

}  // namespace otpd::app
