// A text that must not be seen: tokens and keys. It reaches no log, no stream and no file by accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace duet::live {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  /// What it held does not stay behind in memory that is given back.
  ~Secret() {
    volatile char* at = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i) at[i] = 0;
  }

  bool empty() const { return text_.empty(); }
  /// The text itself, for whoever has to send or store it. Each use of this is worth a second look.
  std::string_view reveal() const { return text_; }
  /// Takes as long for a wrong text of the right length wherever the first difference is.
  bool same_as(std::string_view other) const {
    if (other.size() != text_.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < text_.size(); ++i)
      difference |= static_cast<unsigned>(static_cast<unsigned char>(text_[i] ^ other[i]));
    return difference == 0;
  }

 private:
  std::string text_;
};

}  // namespace duet::live
