import Foundation

/// The graph that ComfyUI writes into pictures: nodes by number, each with a `class_type` and `inputs`, which
/// are values or `[node, output]`.
///
/// What was asked for is found by going from a node that samples to what is plugged into it; the names are
/// those of ComfyUI's `nodes.py` and `comfy_extras`.
struct ComfyGraph {
  private typealias Inputs = [String: Any]
  private let nodes: [String: (type: String, inputs: Inputs)]

  private static let deepest = 32

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

  /// The inputs of the node that is plugged in.
  private func linked(_ value: Any?) -> Inputs? {
    guard let link = value as? [Any], let name = link.first else { return nil }
    return nodes["\(name)"]?.inputs
  }

  /// A value, or that of the node that gives it.
  private func value(_ value: Any?, _ names: [String], depth: Int = 0) -> Any? {
    guard let inputs = linked(value) else { return value }
    guard depth < Self.deepest else { return nil }
    return names.lazy.compactMap { inputs[$0] }.first
      .flatMap { self.value($0, names, depth: depth + 1) }
  }

  /// The text from which a conditioning was made.
  private func text(_ value: Any?, depth: Int = 0) -> String? {
    if let text = value as? String { return text }
    guard depth < Self.deepest, let inputs = linked(value) else { return nil }
    let names = [
      "text", "text_g", "text_l", "t5xxl", "clip_l", "prompt", "string", "value", "positive",
      "conditioning", "conditioning_1", "conditioning_to",
    ]
    return names.lazy.compactMap { inputs[$0] }.compactMap { self.text($0, depth: depth + 1) }
      .first { !$0.isEmpty }
  }
}
