#include "net/redis_command.h"

#include <openssl/evp.h>

#include <charconv>

#include "base/encoding.h"

namespace otpd::net {
namespace {

void append_redis_count(std::string& out, char type, std::size_t count) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, count).ptr;
  out += type;
  out.append(digits, end);
  out += "\r\n";
}

void append_redis_word(std::string& out, std::string_view word) {
  append_redis_count(out, '$', word.size());
  out += word;
  out += "\r\n";
}

std::string redis_digest(std::string_view body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(body.data(), body.size(), digest, &size, EVP_sha1(), nullptr);
  return hex_encode({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

RedisScript::RedisScript(std::string body) : body_(std::move(body)), sha1_(redis_digest(body_)) {}

void append_redis_words(std::string& out, std::initializer_list<std::string_view> words) {
  append_redis_count(out, '*', words.size());
  for (const std::string_view word : words) append_redis_word(out, word);
}

void append_redis_call(std::string& out, const RedisCall& call, RedisForm form) {
  append_redis_count(out, '*', call.words.size() + (call.script != nullptr ? 3 : 0));
  if (call.script != nullptr) {
    const bool whole = form == RedisForm::whole;
    append_redis_word(out, whole ? "EVAL" : "EVALSHA");
    append_redis_word(out, whole ? call.script->body() : call.script->sha1());
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, call.keys).ptr;
    append_redis_word(out, {digits, end});
  }
  for (const std::string& word : call.words) append_redis_word(out, word);
}

}  // namespace otpd::net
