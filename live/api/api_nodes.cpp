// /api/v1/nodes
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/lifecycle.h"
#include "live/api/answers.h"
#include "live/api/api.h"

namespace duet::live {
namespace {

using http::Request;
using http::Responder;
using NodeJson = nlohmann::ordered_json;

const std::string nodes_path = "/api/v1/nodes";

NodeJson resources(const Resources& amount) {
  NodeJson json;
  json["cpu_m"] = amount.cpu_m;
  json["memory_bytes"] = amount.memory_bytes;
  return json;
}

using InUse = std::map<NodeId, ClusterView::InUse>;

NodeJson node_json(const Cluster& cluster, NodeId id, const ClusterView& view, const InUse& in_use) {
  const ClusterNode& node = cluster.node(id);
  NodeJson json;
  json["name"] = node.name;
  json["state"] = name(node.state);
  json["draining"] = node.draining;
  json["tasks"] = node.tasks.size();
  Resources allocated = node.offer.capacity;
  allocated -= node.room.free;
  json["capacity"] = resources(node.known ? node.offer.capacity : Resources{});
  json["allocated"] = resources(node.known ? allocated : Resources{});
  const auto used = in_use.find(id);
  const ClusterView::InUse of_node = used == in_use.end() ? ClusterView::InUse{} : used->second;
  json["in_use"] =
      resources({.cpu_m = std::llround(of_node.cores * 1000), .memory_bytes = of_node.memory_bytes});
  json["slots"] = node.known ? node.offer.cores : 0;
  json["free_slots"] = node.known ? node.room.slots : 0;
  if (const AgentFacts* agent = view.agent(node.name)) {
    json["address"] = agent->address;
    if (agent->port != 0) json["port"] = agent->port;
    json["pid"] = agent->pid;
    json["version"] = agent->version;
    json["topology"] = agent->topology;
    json["limits"] = agent->limits;
  }
  return json;
}

}  // namespace

/// Answers with the node as it then stands.
void Api::drain(const Request& request, bool drain, const Responder& respond) {
  const std::string name(request.parameter("name"));
  const auto id = machine().cluster().find(name);
  if (!id) return respond(no_such("node", name));
  Answered answered = then([this, respond, id = *id](const Answer& answer) {
    if (!answer.refusal.empty()) return respond(refused(answer, machine()));
    respond(http::json_response(
        node_json(machine().cluster(), id, driver_.view(), driver_.view().in_use()).dump()));
  });
  if (!drain) return driver_.undrain(*id, std::move(answered));
  const bool evict = request.document != nullptr && request.document->value("evict", false);
  driver_.drain(*id, evict, std::move(answered));
}

void Api::add_nodes(http::RouteTable& table) {
  table.add({.path = nodes_path,
             .operation_id = "listNodes",
             .summary = "The nodes, in the order in which they became known.",
             .tags = {"nodes"},
             .responses = {{.status = 200, .description = "The nodes.", .schema = "NodeList"}},
             .handler = [this](const Request&, const Responder& respond) {
               NodeJson list = NodeJson::array();
               const Cluster& cluster = machine().cluster();
               const InUse in_use = driver_.view().in_use();
               for (std::uint32_t i = 0; i < cluster.size(); ++i)
                 list.push_back(node_json(cluster, NodeId{i}, driver_.view(), in_use));
               respond(http::json_response(list.dump()));
             }});
  table.add({.path = nodes_path + "/{name}",
             .operation_id = "getNode",
             .summary = "A node.",
             .tags = {"nodes"},
             .responses = {{.status = 200, .description = "The node.", .schema = "Node"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const std::string name(request.parameter("name"));
               const auto id = machine().cluster().find(name);
               if (!id) return respond(no_such("node", name));
               respond(http::json_response(
                   node_json(machine().cluster(), *id, driver_.view(), driver_.view().in_use()).dump()));
             }});
  table.add({.method = http::Method::kPost,
             .path = nodes_path + "/{name}/drain",
             .operation_id = "drainNode",
             .summary = "Gives a node nothing new; with evict its tasks are moved away.",
             .tags = {"nodes"},
             .request = "Drain",
             .body_optional = true,
             .responses = {{.status = 200, .description = "The node.", .schema = "Node"}},
             .handler = [this](const Request& request, const Responder& respond) {
               drain(request, true, respond);
             }});
  table.add({.method = http::Method::kPost,
             .path = nodes_path + "/{name}/undrain",
             .operation_id = "undrainNode",
             .summary = "Lets a node have new tasks again.",
             .tags = {"nodes"},
             .responses = {{.status = 200, .description = "The node.", .schema = "Node"}},
             .handler = [this](const Request& request, const Responder& respond) {
               drain(request, false, respond);
             }});
}

}  // namespace duet::live
