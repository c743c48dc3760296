import Foundation

/// The graph that ComfyUI writes into pictures: nodes by number, each with a `class_type` and `inputs`, which
/// are values or `[node, output]`.
///
/// What was asked for is found by going from a node that samples to what is plugged into it; the names are
/// those of ComfyUI's `nodes.py` and `comfy_extras`.
struct ComfyGraph {
  private typealias Inputs = [String: Any]
  private let nodes: [String: (type: String, inputs: Inputs)]

  init(_ json: [String: Any]) {
    nodes = json.compactMapValues { node in
      guard let node = node as? [String: Any], let type = node["class_type"] as? String,
        let inputs = node["inputs"] as? [String: Any]
      else { return nil }
      return (type, inputs)
    }
  }

  /// Fields of a request; nil where no node samples.
  var fields: [String: JSONValue]? {
    let samplers = nodes.filter { $0.value.type.contains("Sampler") && isSampling($0.value.inputs) }
      .sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
    // The first pass begins with an empty picture of the size that was asked for.
    let found = samplers.first { size(of: $0.value.inputs) != nil } ?? samplers.first
    guard let inputs = found?.value.inputs else { return nil }
    var fields: [String: JSONValue] = [:]
    let guider = linked(inputs["guider"]) ?? inputs
    ForeignSettings.set(
      &fields, prompt: text(guider["positive"] ?? guider["conditioning"]),
      negative: text(guider["negative"]))
    let noise = linked(inputs["noise"]) ?? inputs
    fields["seed"] = ForeignSettings.number(
      value(noise["seed"] ?? noise["noise_seed"], ["seed", "noise_seed", "value", "int"]),
      in: Seed.range)
    let sigmas = linked(inputs["sigmas"]) ?? inputs
    fields["iterations"] = ForeignSettings.number(
      value(sigmas["steps"], ["steps", "value", "int"]), in: ForeignSettings.steps)
    if let (width, height) = size(of: inputs) {
      (fields["width"], fields["height"]) = (width, height)
    }
    return fields
  }

  private func isSampling(_ inputs: Inputs) -> Bool {
    ["positive", "guider", "seed", "noise_seed"].contains { inputs[$0] != nil }
      && ["latent_image", "samples", "latent"].contains { inputs[$0] != nil }
  }

  private func size(of inputs: Inputs) -> (JSONValue, JSONValue)? {
    guard let empty = linked(inputs["latent_image"] ?? inputs["latent"] ?? inputs["samples"]),
      let width = ForeignSettings.number(
        value(empty["width"], ["width", "value", "int"]), in: ForeignSettings.side),
      let height = ForeignSettings.number(
        value(empty["height"], ["height", "value", "int"]), in: ForeignSettings.side)
    else { return nil }
    return (width, height)
  }

  /// The node that is plugged in.
  private func node(_ value: Any?) -> (name: String, inputs: Inputs)? {
    guard let link = value as? [Any], let name = link.first.map({ "\($0)" }) else { return nil }
    return nodes[name].map { (name, $0.inputs) }
  }

  private func linked(_ value: Any?) -> Inputs? { node(value)?.inputs }

  /// A value, or that of the node that gives it.
  private func value(_ value: Any?, _ names: [String]) -> Any? {
    var (value, seen) = (value, Set<String>())
    while let node = node(value) {
      // Nodes may be plugged into themselves.
      guard seen.insert(node.name).inserted else { return nil }
      value = names.lazy.compactMap { node.inputs[$0] }.first
    }
    return value
  }

  /// The text from which a conditioning was made: the first that is found, each node looked at once.
  private func text(_ value: Any?) -> String? {
    let names = [
      "text", "text_g", "text_l", "t5xxl", "clip_l", "prompt", "string", "value", "positive",
      "conditioning", "conditioning_1", "conditioning_to",
    ]
    var (open, seen) = ([value], Set<String>())
    while let value = open.popLast() {
      if let text = value as? String, !text.isEmpty { return text }
      guard let node = node(value), seen.insert(node.name).inserted else { continue }
      open += names.reversed().compactMap { node.inputs[$0] }
    }
    return nil
  }
}
