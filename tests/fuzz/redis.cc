// What a Redis node says: any bytes are the same answers in any cut, any array is a map of the
// slots or is none, and any error says what follows.
#include <vector>

#include "fuzz.h"
#include "net/redis_command.h"
#include "net/redis_reader.h"
#include "net/redis_slots.h"

namespace {

using namespace otpd;

// An answer as bytes again: equal answers have equal bytes.
void append_answer(std::string& out, const net::RedisReply& reply) {
  out += std::to_string(static_cast<int>(reply.kind)) + ":" + std::to_string(reply.number) + ":";
  out += std::to_string(reply.text.size()) + ":" + reply.text + "[";
  for (const auto& item : reply.items) append_answer(out, item);
  out += "]";
}

std::string read_all(std::string_view bytes, std::size_t step,
                     std::vector<net::RedisAnswer>& answers) {
  net::RedisReader reader;
  std::string said;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!reader.feed(bytes.substr(0, step))) return said;
    for (auto answer = reader.next();; answer = reader.next()) {
      if (!answer) return said;
      if (!*answer) break;
      append_answer(said, (*answer)->reply);
      answers.push_back(std::move(**answer));
    }
  }
  return said;
}

void check_map(const net::RedisReply& reply) {
  auto map = net::RedisSlotMap::parse(reply, {"asked", 7000});
  if (!map) return;
  fuzz::require(!map->masters().empty(), "a map has a master");
  for (std::uint16_t slot = 0; slot < net::k_redis_slots; ++slot) {
    const auto* master = map->master(slot);
    fuzz::require(master == nullptr || map->knows(*master), "a slot's master is known");
  }
  map->move(7, {"new", 1});
  fuzz::require(map->master(7)->host == "new", "a slot moves");
}

void check_next(std::string_view error) {
  const auto next = net::redis_next(error);
  using Step = net::RedisNext::Step;
  fuzz::require(next.slot < net::k_redis_slots, "a slot");
  const bool elsewhere = next.step == Step::follow || next.step == Step::ask;
  fuzz::require(elsewhere == (next.node != net::RedisNode{}), "a node to go to");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  if (bytes.empty()) return 0;
  const std::string_view rest = bytes.substr(1);
  std::vector<net::RedisAnswer> answers;
  std::vector<net::RedisAnswer> same;
  const std::string whole = read_all(rest, rest.size(), answers);
  const std::string cut = read_all(rest, 1 + static_cast<unsigned char>(bytes[0]), same);
  fuzz::require(whole == cut, "a cut changes nothing");
  for (const auto& answer : answers) {
    if (answer.is_error) check_next(answer.reply.text);
    check_map(answer.reply);
  }
  check_next(rest);
  fuzz::require(net::redis_slot(rest) < net::k_redis_slots, "a slot");
  // What we write is read back.
  std::string out;
  net::append_redis_words(out, {"GET", rest});
  std::vector<net::RedisAnswer> own;
  (void)read_all(out, 3, own);
  fuzz::require(own.size() == 1 && own[0].reply.items[1].text == rest, "a command both ways");
  return 0;
}
