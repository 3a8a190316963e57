// The one way to Boost.Asio: Debian's 1.74 needs help under C++20.
#pragma once

// 1.74's awaitable.hpp uses std::exchange without including it.
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace duet::live {
namespace asio = boost::asio;
}
