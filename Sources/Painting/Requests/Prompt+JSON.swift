// The structured form of prompts:
//
// {"text": "a fox", "weight": 0.5, "stop": 0.8, "region": "inside", "scene": 0}
// {"image": {"name": "a.png", "sha256": "…"}}   {"embedding": {…}}   {"noise": 14575}   {"label": "fox"}
// {"average": [{"text": "a fox"}, {"image": {…}}]}

extension Prompt {
  /// Reads the structured form.
  /// - Throws: `RequestError` naming the field.
  init(json: JSONValue) throws(RequestError) {
    guard case .object(var fields) = json else {
      throw .badValue(field: "prompts", reason: "must be objects, as in {\"text\": \"a fox\"}")
    }
    func take(_ name: String, _ kind: ParameterKind) throws(RequestError) -> JSONValue? {
      guard let value = fields.removeValue(forKey: name), value != .null else { return nil }
      return try kind.check(value, of: "prompts.\(name)")
    }
    self.init("")
    if case .number(let number) = try take("weight", .number(-1_000...1_000)) { weight = number }
    if case .number(let number) = try take("stop", .number(-100...100)) { stop = number }
    if case .integer(let number) = try take("scene", .integer(0...999)) { scene = number }
    let regions = ParameterKind.choice(Region.allCases.map(\.rawValue))
    if case .string(let word) = try take("region", regions) {
      region = Region(rawValue: word) ?? .everywhere
    }
    target = try Target(fields: fields, depth: 0)
  }

  /// The structured form; what has its usual value is left out.
  var json: JSONValue {
    var fields = target.fields
    if weight != 1 { fields["weight"] = .number(weight) }
    if stop.isFinite { fields["stop"] = .number(stop) }
    if region != .everywhere { fields["region"] = .string(region.rawValue) }
    if let scene { fields["scene"] = .integer(scene) }
    return .object(fields)
  }
}

extension Prompt.Target {
  fileprivate init(fields: [String: JSONValue], depth: Int) throws(RequestError) {
    guard fields.count == 1, let (name, value) = fields.first else {
      throw .badValue(
        field: "prompts",
        reason:
          "must have one of text, label, image, embedding, noise and average each, and beside it "
          + "only weight, stop, region and scene")
    }
    func checked(_ kind: ParameterKind) throws(RequestError) -> JSONValue {
      try kind.check(value, of: "prompts.\(name)")
    }
    let limit = ParameterKind.text(limit: Prompt.longest)
    switch name {
    case "text", "label":
      guard case .string(let text) = try checked(limit), !text.trimmed.isEmpty,
        !text.unicodeScalars.contains("\0")
      else {
        throw .badValue(field: "prompts.\(name)", reason: "is empty or contains a NUL character")
      }
      self = name == "text" ? .text(text.trimmed) : .label(text.trimmed)
    case "image", "embedding":
      guard let file = FileReference(json: try checked(.file)) else { fallthrough }
      self = name == "image" ? .image(file) : .embedding(file)
    case "noise":
      guard case .integer(let seed) = try checked(.integer(0...(1 << 53 - 1))) else { fallthrough }
      self = .noise(seed)
    case "average":
      guard case .array(let values) = value, (1...16).contains(values.count), depth < 3 else {
        throw .badValue(field: "prompts.average", reason: "must be a list of 1 to 16 prompts")
      }
      var targets: [Prompt.Target] = []
      for case .object(let fields) in values {
        targets.append(try Prompt.Target(fields: fields, depth: depth + 1))
      }
      guard targets.count == values.count else {
        throw .badValue(field: "prompts.average", reason: "must be a list of objects")
      }
      self = .average(targets)
    default:
      throw .badValue(
        field: "prompts",
        reason:
          "has no '\(name.prefix(40))'; there are text, label, image, embedding, noise, average")
    }
  }

  fileprivate var fields: [String: JSONValue] {
    switch self {
    case .text(let text): ["text": .string(text)]
    case .label(let text): ["label": .string(text)]
    case .image(let file): ["image": file.json]
    case .embedding(let file): ["embedding": file.json]
    case .noise(let seed): ["noise": .integer(seed)]
    case .average(let targets): ["average": .array(targets.map { .object($0.fields) })]
    }
  }
}
