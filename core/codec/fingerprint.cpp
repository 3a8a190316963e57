#include "core/codec/fingerprint.h"

#include "core/codec/bytes.h"
#include "core/codec/encode.h"
#include "core/codec/hash.h"

namespace duet::codec {

std::uint64_t fingerprint(const JobSpec& spec) {
  ByteBuffer buffer;
  Encoder encoder(buffer);
  encoder.put(spec);
  encoder.finish();
  return xxh3(buffer.span());
}

}  // namespace duet::codec
