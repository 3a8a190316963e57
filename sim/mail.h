// Messages between the controller and the agents while they are under way. Each is written where it will be
// read, as the event that it will be; what moves is a letter that names the place, and places are used again.
#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "core/machine.h"

namespace duet::sim {

/// Stands for a message. `number` counts those of one link, both directions together.
struct Letter {
  std::uint64_t number = 0;
  std::uint32_t node = 0;
  std::uint32_t place = 0;
  bool to_agent = false;

  /// Messages of one instant are delivered by link and number.
  bool operator<(const Letter& o) const { return std::tie(node, number) < std::tie(o.node, o.number); }
};

class Mail {
 public:
  Letter write(std::uint32_t node, std::uint64_t number, msg::FromAgent&& message) {
    const std::uint32_t place = up_.take();
    auto& received = std::get<controller::Received>(up_[place]);
    received.link = LinkId{node};
    received.message = std::move(message);
    return {number, node, place, false};
  }
  Letter write(std::uint32_t node, std::uint64_t number, msg::ToAgent&& message) {
    const std::uint32_t place = down_.take();
    std::get<agent::Delivered>(down_[place]).message = std::move(message);
    return {number, node, place, true};
  }
  /// The same message once more.
  Letter copy(const Letter& letter) {
    Letter twin = letter;
    twin.place = letter.to_agent ? down_.take_copy(letter.place) : up_.take_copy(letter.place);
    return twin;
  }
  /// Nobody reads this letter any more.
  void discard(const Letter& letter) {
    if (letter.to_agent)
      down_.give_back(letter.place);
    else
      up_.give_back(letter.place);
  }

  // They stay where they are until they are discarded, whatever is written meanwhile.
  const controller::Event& to_controller(const Letter& letter) const { return up_[letter.place]; }
  const agent::Event& to_agent(const Letter& letter) const { return down_[letter.place]; }

  /// True if the message speaks of attempts. Heartbeats and registrations keep coming for ever: where they
  /// take longer than their interval, one is always under way.
  bool concerns_work(const Letter& letter) const {
    if (letter.to_agent) {
      const auto& body = std::get<agent::Delivered>(to_agent(letter)).message.body;
      return !std::holds_alternative<msg::Registered>(body) && !std::holds_alternative<msg::Fenced>(body);
    }
    const auto& body = std::get<controller::Received>(to_controller(letter)).message.body;
    return !std::holds_alternative<msg::Heartbeat>(body) && !std::holds_alternative<msg::Register>(body);
  }

 private:
  /// Events that are of one alternative for good, so that a place used again need not be made again.
  template <class Event, class Alternative>
  class Places {
   public:
    Event& operator[](std::uint32_t place) { return *events_[place]; }
    const Event& operator[](std::uint32_t place) const { return *events_[place]; }
    std::uint32_t take() {
      if (free_.empty()) {
        events_.push_back(std::make_unique<Event>(std::in_place_type<Alternative>));
        return static_cast<std::uint32_t>(events_.size()) - 1;
      }
      const std::uint32_t place = free_.back();
      free_.pop_back();
      return place;
    }
    std::uint32_t take_copy(std::uint32_t of) {
      const std::uint32_t place = take();
      *events_[place] = *events_[of];
      return place;
    }
    void give_back(std::uint32_t place) { free_.push_back(place); }

   private:
    std::vector<std::unique_ptr<Event>> events_;
    std::vector<std::uint32_t> free_;
  };

  Places<controller::Event, controller::Received> up_;
  Places<agent::Event, agent::Delivered> down_;
};

}  // namespace duet::sim
