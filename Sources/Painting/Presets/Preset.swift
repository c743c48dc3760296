import Foundation
import Weights
import Yams

/// A look, a quality or a proportion by name: some fields of a request, and what stands around the
/// prompt. It is a YAML file:
///
/// ```yaml
/// name: pixel-art
/// help: Large pixels of a few colours
/// prompt: "{} | pixel art"
/// scale: 1
/// work: 0.5
/// request:
///   method: pixel
///   objectives:
///   - {name: smoothness, weight: 0.5}
/// large:
///   request: {iterations: 300}
/// ```
///
/// Only `help` must be there. What `large` says goes before the rest where the request names CLIPs of
/// its own, which see more than the pack's.
public struct Preset: Sendable, Hashable {
  /// What a preset asks of the request.
  public struct Values: Sendable, Hashable {
    /// Fields of a request by their JSON names.
    public var fields: [String: JSONValue] = [:]
    /// By how much the picture is larger than it would be.
    public var scale: Double?
    /// How much more is done than the method usually does: steps, views (by the root) and candidates.
    public var work: Double?
  }

  /// The name: that of its file.
  public let name: String
  /// What it is for, in one sentence without the final stop.
  public let help: String
  /// What it asks for.
  public let values: Values
  /// What it asks for instead where CLIPs are named.
  public let large: Values
  /// The prompt with `{}` for each of its texts.
  public let prompt: String?
  /// Whether the pack's own CLIP makes little of it.
  public let wantsLargeCLIP: Bool

  /// Reads a file.
  /// - Parameter registry: knows what may be named.
  /// - Throws: `PresetError` naming the file and the field.
  public init(contentsOf file: URL, registry: Registry = .builtIn) throws {
    guard let text = try? RegularFile.text(at: file) else {
      throw PresetError.bad(path: file.relativePath, reason: "it cannot be read as a text")
    }
    try self.init(
      yaml: text, name: file.deletingPathExtension().lastPathComponent, path: file.relativePath,
      registry: registry)
  }

  /// Reads a document.
  /// - Parameters:
  ///   - name: of the preset.
  ///   - path: what errors name.
  init(yaml: String, name: String, path: String, registry: Registry = .builtIn) throws {
    func bad(_ reason: String) -> PresetError { .bad(path: path, reason: reason) }
    let value: JSONValue
    do {
      value = try Yams.compose(yaml: yaml).map(JSONValue.init(yaml:)) ?? .null
    } catch {
      throw bad("it is not valid YAML: \(Self.firstLines(of: error))")
    }
    guard case .object(var keys) = value else {
      throw bad("it must hold keys such as help and request")
    }
    func take(_ key: String) throws -> String? {
      guard let value = keys.removeValue(forKey: key) else { return nil }
      guard case .string(let text) = value, !text.trimmed.isEmpty else {
        throw bad("\(key) must be a text")
      }
      return text.trimmed
    }
    if let given = try take("name"), given != name {
      throw bad("name is '\(given.prefix(40))', and its file is named '\(name)'")
    }
    self.name = name
    guard let help = try take("help") else { throw bad("help is missing") }
    self.help = help
    prompt = try take("prompt")
    let needs = try take("needs")
    wantsLargeCLIP = needs != nil
    guard needs == nil || needs == "large CLIP" else {
      throw bad("needs must be 'large CLIP' or left out")
    }
    var large: [String: JSONValue] = [:]
    if let value = keys.removeValue(forKey: "large") {
      guard case .object(let fields) = value else {
        throw bad("large must hold scale, work or request")
      }
      large = fields
    }
    do {
      values = try Self.values(&keys, of: "", registry)
      self.large = try Self.values(&large, of: "large.", registry)
      if let prompt { _ = try PromptTemplate(prompt) }
    } catch {
      throw bad(error.sentence)
    }
    for (key, prefix) in (keys.map { ($0.key, "") } + large.map { ($0.key, "large.") }).sorted(
      by: <)
    {
      let known = ["name", "help", "prompt", "needs", "scale", "work", "request", "large"]
      throw bad(
        "there is no '\(prefix)\(key.prefix(40))'"
          + (nearestName(to: key, among: known).map { "; did you mean '\($0)'" } ?? ""))
    }
  }

  /// The values among the keys, which are taken out.
  private static func values(
    _ keys: inout [String: JSONValue], of prefix: String, _ registry: Registry
  ) throws(RequestError) -> Values {
    var values = Values()
    if let value = keys.removeValue(forKey: "scale") {
      let checked = try ParameterKind.number(0.1...16).check(value, of: "\(prefix)scale")
      if case .number(let number) = checked { values.scale = number }
    }
    if let value = keys.removeValue(forKey: "work") {
      let checked = try ParameterKind.number(0.05...20).check(value, of: "\(prefix)work")
      if case .number(let number) = checked { values.work = number }
    }
    guard let value = keys.removeValue(forKey: "request") else { return values }
    guard case .object(let fields) = value else {
      throw .badValue(field: "\(prefix)request", reason: "must hold fields of a request")
    }
    var scratch = Request("x")
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      guard name != "prompt", name != "schema" else {
        throw .badValue(
          field: "\(prefix)request.\(name)",
          reason: "does not belong there; a prompt stands beside request")
      }
      try scratch.set(name, value)
      scratch = try scratch.checked(in: registry)
      // Values in their exact types, as the request has them.
      values.fields[name] = scratch[name]
    }
    guard scratch.references.isEmpty else {
      throw .badValue(field: "\(prefix)request", reason: "names a file, which a preset cannot")
    }
    return values
  }

  private static func firstLines(of error: any Error) -> String {
    "\(error)".split(separator: "\n").prefix(2).joined(separator: " ")
  }
}

extension Preset {
  /// What a preset is about.
  public enum Kind: String, Sendable, CaseIterable {
    case style, quality, shape, recipe
  }

  /// What it is about: the work that is done, the proportions, a way of painting (of a notebook, mostly),
  /// or a look.
  public var kind: Kind {
    let fields = Set(values.fields.keys).union(large.fields.keys)
    if prompt == nil, fields.isSubset(of: ["width", "height"]), values.scale == nil,
      values.work == nil
    {
      return .shape
    }
    let work: Set = [
      "iterations", "cutouts", "candidates", "learningRateDrops", "accumulate",
    ]
    if prompt == nil, fields.isSubset(of: work) { return .quality }
    return prompt == nil && !fields.contains("filters") ? .recipe : .style
  }
}

extension JSONValue {
  /// A node of YAML, read by the core schema of YAML 1.2, to which `no` is a text.
  init(yaml node: Node) {
    switch node {
    case .mapping(let mapping):
      self = .object(
        mapping.reduce(into: [:]) { $0[$1.key.string ?? ""] = JSONValue(yaml: $1.value) })
    case .sequence(let sequence): self = .array(sequence.map(JSONValue.init(yaml:)))
    case .scalar(let scalar):
      let text = scalar.string
      guard scalar.style == .plain else {
        self = .string(text)
        return
      }
      switch text {
      case "", "~", "null": self = .null
      case "true": self = .bool(true)
      case "false": self = .bool(false)
      default:
        let isNumber = text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        if isNumber, let number = Int(text) {
          self = .integer(number)
        } else if isNumber, let number = Double(text) {
          self = .number(number)
        } else {
          self = .string(text)
        }
      }
    case .alias: self = .null
    }
  }
}

/// What can go wrong with presets.
public enum PresetError: Error, Equatable, CustomStringConvertible {
  /// There is none of this name.
  case unknown(String, nearest: String?)
  /// A file that is no preset.
  case bad(path: String, reason: String)
  /// It has nothing to say to the method that paints.
  case idle(String, method: Method.ID)

  /// One or two sentences for the user, with the next step.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest):
      "There is no preset '\(name.prefix(40))'. "
        + (nearest.map { "Did you mean '\($0)'?" } ?? "See: reverie presets.")
    case .bad(let path, let reason):
      "The preset \(path) cannot be used: \(reason). Mend it or take it away."
    case .idle(let name, let method):
      "The preset '\(name)' says nothing about \(method.rawValue). Leave it or --method out."
    }
  }
}
