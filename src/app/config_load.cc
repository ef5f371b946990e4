#include "app/config_load.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "app/config_applications.h"
#include "app/config_path.h"
#include "app/config_rules.h"
#include "app/config_rules_origins.h"
#include "app/config_rules_webhooks.h"

namespace otpd::app {
namespace {

std::string load_cut(std::string text) {
  constexpr std::size_t k_longest = 64;
  if (text.size() <= k_longest) return text;
  std::size_t end = k_longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

// The one key without a default of a section that is not there by default; else empty.
std::string_view load_needed_key(const Path& section, const Config& defaults) {
  if (section[0] == "purposes" && !defaults.purposes.contains(section[1])) return "lifetime_s";
  if (section[0] == "providers" && !defaults.providers.contains(section[1])) return "kind";
  if (section[0] == "prefix_routes") return "lanes";
  if (section[0] == "test_recipients") return "expires_on";
  return {};
}

// Whether it could be a URL with a password in it, which no key takes.
bool load_has_user_info(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text && text->contains('@') && text->contains("://");
}

// The file, the environment and the flags, in the order of rising precedence.
Source load_sources(const LoadRequest& request) {
  Source all;
  const auto take = [&](Source source) {
    std::ranges::move(source.assignments, std::back_inserter(all.assignments));
    std::ranges::move(source.problems, std::back_inserter(all.problems));
    all.readable_by_others |= source.readable_by_others;
  };
  if (!request.file.empty()) take(read_config_file(request.file));
  take(read_environment(request.environment, Config{}));
  take(read_flags(request.flags));
  return all;
}

// One application's configuration, from what is assigned to its keys.
class ConfigLoader {
 public:
  ConfigLoader(const ConfigChecks& checks, bool open_file)
      : checks_(checks), open_file_(open_file) {}

  void read(const std::vector<Assignment>& assignments) {
    for (const auto& assignment : assignments) apply_kind(assignment);
    for (const auto& assignment : assignments) apply(assignment);
  }

  // What follows from this being an application of [applications], which `said` all that itself.
  void settle(const std::vector<Assignment>& said) {
    loaded_.is_overlay = true;
    settle_webhooks(said, loaded_, problems_);
  }

  void check(const std::set<std::string>& applications) {
    loaded_.applications = applications;
    require_declarations();
    warn_of_open_file();
    derive(loaded_);
    judge(loaded_, checks_, failed_, problems_);
  }

  LoadedConfig& loaded() { return loaded_; }
  const Problems& problems() const { return problems_; }

 private:
  static bool is_kind(const Path& path) {
    Names names;
    return matches("providers.*.kind", path, names);
  }

  // The kinds of the providers come first: they decide which other keys there are.
  void apply_kind(const Assignment& assignment) {
    if (!is_kind(assignment.path)) return;
    Names names;
    set(*find_key(assignment.path, {}, names), names, assignment);
  }

  void apply(const Assignment& assignment) {
    if (is_kind(assignment.path)) return;
    Names names;
    const Key* key = find_key(assignment.path, kind_of(assignment.path), names);
    if (key) {
      set(*key, names, assignment);
    } else if (const Key* other = find_key(assignment.path, {}, names)) {
      refuse(assignment, "is a key of kind " + std::string(other->kind) + ", but " +
                             assignment.path[0] + "." + names[0] + " is of kind " +
                             kind_of(assignment.path));
    } else if (is_section(assignment.path)) {
      apply_empty_section(assignment);
    } else {
      refuse(assignment, "there is no such key" + suggest_key(assignment.path, loaded_.config));
    }
  }

  // An empty [section] is fine, unless it declares a purpose or provider.
  void apply_empty_section(const Assignment& assignment) {
    const auto* other = std::get_if<NotAValue>(&assignment.value);
    Names names;
    if (!other || other->type != "a table") {
      refuse(assignment, "is a section, written [" + show_path(assignment.path) + "]");
    } else if (matches("purposes.*", assignment.path, names)) {
      mentioned_.emplace(show_path(assignment.path), assignment.origin);
      loaded_.config.purposes[names[0]];
    } else if (matches("providers.*", assignment.path, names)) {
      mentioned_.emplace(show_path(assignment.path), assignment.origin);
      loaded_.config.providers[names[0]];
    }
  }

  // The kind of the provider that the path is about; empty if it is about none, or not known.
  std::string kind_of(const Path& path) const {
    if (path.size() < 2 || path[0] != "providers") return {};
    const std::string key = "providers." + path[1] + ".kind";
    const bool known = default_.providers.contains(path[1]) || loaded_.origins.contains(key);
    if (!known || failed_.contains(key)) return {};
    return provider_kind("providers.", {path[1]}, loaded_.config);
  }

  void set(const Key& key, const Names& names, const Assignment& assignment) {
    const std::string path = fill(key.path, names);
    if (const auto wrong = wrong_names(key.path, names); !wrong.empty()) {
      refuse(assignment, wrong);
      return;
    }
    if (!names.empty()) {
      mentioned_.emplace(assignment.path[0] + "." + assignment.path[1], assignment.origin);
    }
    const auto* text = std::get_if<std::string>(&assignment.value);
    const bool from_file = assignment.origin.kind == Origin::Kind::file;
    const Value value =
        text && !from_file ? value_from_text(key.binding.type, *text) : assignment.value;
    if (assign(key, names, value, loaded_.config)) {
      loaded_.origins[path] = assignment.origin;
    } else {
      refuse_value(key, path, value, assignment.origin);
    }
  }

  void refuse(const Assignment& assignment, std::string text) {
    const auto path = show_path(assignment.path);
    failed_.insert(path);
    problems_.push_back({assignment.origin, path, {}, std::move(text)});
  }

  void refuse_value(const Key& key, const std::string& path, const Value& value,
                    const Origin& origin) {
    failed_.insert(path);
    const bool hidden = key.secret() || load_has_user_info(value);
    std::string text = "must be " + allowed(key);
    const auto* other = std::get_if<NotAValue>(&value);
    if (other && origin.kind == Origin::Kind::file) text += ", not " + other->type;
    const std::string misfit = hidden ? std::string() : first_misfit(key, value);
    if (!misfit.empty()) text += "; " + load_cut(to_toml(misfit, false)) + " is none";
    problems_.push_back({origin, path, load_cut(to_toml(value, hidden)), std::move(text)});
  }

  // What is added must say the one thing that has no default, so that a misspelt name is noticed.
  void require_declarations() {
    for (const auto& [path, origin] : mentioned_) {
      const Path segments = split_path(path);
      const std::string_view needed = load_needed_key(segments, default_);
      if (needed.empty()) continue;
      const std::string key = path + "." + std::string(needed);
      if (loaded_.origins.contains(key) || failed_.contains(key)) continue;
      problems_.push_back({origin,
                           path,
                           {},
                           "a " + segments[0].substr(0, segments[0].size() - 1) +
                               " that you add must say its " + std::string(needed) +
                               suggest_default(segments)});
    }
  }

  static std::string suggest_default(const Path& section) {
    const std::vector<std::string> known{"purposes.login", "purposes.transaction",
                                         "purposes.password_reset", "providers.twilio",
                                         "providers.mail"};
    return suggest(section[0] + "." + section[1], known);
  }

  void warn_of_open_file() {
    if (!open_file_) return;
    Config blank;
    for (const auto& [path, origin] : loaded_.origins) {
      Names names;
      const Key* key = find_key(split_path(path), {}, names);
      if (origin.kind != Origin::Kind::file || !key || !key->binding.secret) continue;
      if (value_of(*key, names, loaded_.config) == value_of(*key, names, blank)) continue;
      loaded_.warnings.push_back(describe(origin) + " holds the secret " + path +
                                 ", and every user of this machine can read the file");
    }
  }

  const ConfigChecks& checks_;
  const bool open_file_;
  const Config default_;
  LoadedConfig loaded_;
  Problems problems_;
  std::set<std::string> failed_;
  std::map<std::string, Origin> mentioned_;  // "purposes.x" -> where it was first named
};

bool load_is_same(const Problem& one, const Problem& other) {
  return one.key == other.key && one.text == other.text && one.value == other.value &&
         describe(one.origin) == describe(other.origin);
}

// All applications, one after the other. What is wrong with, or unwise in, the base configuration
// is told once.
class ApplicationsLoader {
 public:
  ApplicationsLoader(const LoadRequest& request, Source sources)
      : request_(request),
        open_file_(sources.readable_by_others),
        problems_(std::move(sources.problems)),
        said_(split_applications(std::move(sources.assignments), problems_)),
        base_(request.checks, open_file_) {}

  std::expected<LoadedConfig, Problems> run() {
    base_.read(said_.base);
    names_.insert(base_.loaded().config.otp.application);
    for (const auto& [name, _] : said_.applications) names_.insert(name);
    base_.check(names_);
    std::ranges::copy(base_.problems(), std::back_inserter(problems_));
    for (const auto& [name, assignments] : said_.applications) add(name, assignments);
    judge_webhook_secrets(base_.loaded(), problems_);
    judge_shared_origins(base_.loaded(), problems_);
    if (problems_.empty()) return std::move(base_.loaded());
    std::ranges::sort(problems_, {}, [](const Problem& problem) {
      const auto& origin = problem.origin;
      return std::tie(origin.kind, origin.line, origin.column, origin.name, problem.key);
    });
    return std::unexpected(std::move(problems_));
  }

 private:
  void add(const std::string& name, const std::vector<Assignment>& own) {
    LoadedConfig& base = base_.loaded();
    if (name == base.config.otp.application) {
      problems_.push_back({said_.first.at(name),
                           "applications." + name,
                           {},
                           "is the application that the configuration itself is "
                           "(otp.application): what it says stands outside of [applications]"});
      return;
    }
    ConfigLoader loader(request_.checks, open_file_);
    loader.loaded().config.otp.application = name;
    auto all = inherited_by_applications(said_.base);
    all.insert(all.end(), own.begin(), own.end());
    loader.read(all);
    loader.settle(own);
    loader.check(names_);
    report(name, loader);
    auto& origins = base.application_origins[name];
    for (const Assignment& one : own) {
      const auto path = show_path(one.path);
      const auto found = loader.loaded().origins.find(path);
      if (found != loader.loaded().origins.end()) origins.insert(*found);
    }
    base.config.applications.emplace(
        name, std::make_shared<const Config>(std::move(loader.loaded().config)));
  }

  void report(const std::string& name, ConfigLoader& loader) {
    for (Problem problem : loader.problems()) {
      const auto same = [&](const Problem& known) { return load_is_same(problem, known); };
      if (std::ranges::any_of(base_.problems(), same)) continue;
      problem.key = "applications." + name + (problem.key.empty() ? "" : "." + problem.key);
      problems_.push_back(std::move(problem));
    }
    auto& warnings = base_.loaded().warnings;
    const std::vector<std::string> known = warnings;
    for (const std::string& warning : loader.loaded().warnings) {
      if (std::ranges::find(known, warning) != known.end()) continue;
      warnings.push_back("applications." + name + ": " + warning);
    }
  }

  const LoadRequest& request_;
  const bool open_file_;
  Problems problems_;
  const Overlays said_;
  std::set<std::string> names_;
  ConfigLoader base_;
};

}  // namespace

std::expected<LoadedConfig, Problems> load_config(const LoadRequest& request) {
  return ApplicationsLoader(request, load_sources(request)).run();
}

std::string describe(std::span<const Problem> problems) {
  std::string text = "the configuration has " + std::to_string(problems.size()) +
                     (problems.size() == 1 ? " error:\n" : " errors:\n");
  for (const auto& problem : problems) {
    text += "\n  " + describe(problem.origin);
    if (!problem.key.empty()) text += "  " + problem.key;
    if (!problem.value.empty()) text += " = " + problem.value;
    text += "\n      " + problem.text + "\n";
  }
  return text;
}

Origin origin_of(const LoadedConfig& loaded, const std::string& path) {
  const auto found = loaded.origins.find(path);
  return found == loaded.origins.end() ? Origin{} : found->second;
}

}  // namespace otpd::app
