/// One parameter of a request, declared once: command line, JSON, validation, help and metadata
/// derive from it.
public struct ParameterDeclaration: Sendable {
  /// Under what heading it stands in help and forms.
  public enum Group: String, Sendable, CaseIterable {
    case picture = "Picture"
    case prompts = "Prompts"
    case optimisation = "Under CLIP's guidance"
    case candidates = "Candidates"
    case execution = "Execution"
  }

  /// The name in JSON, `conditionScale` for instance.
  public let name: String
  /// Which values it takes.
  public let kind: ParameterKind
  /// Under what heading it stands.
  public let group: Group
  /// What a method must be able to do to take it.
  public let needs: Capabilities
  /// What stands in when neither the request nor the pack nor the method gives a value.
  public let `default`: JSONValue?
  /// What it does, in one sentence, without the final stop.
  public let help: String

  let get: @Sendable (Request) -> JSONValue?
  let set: @Sendable (inout Request, JSONValue?) throws(RequestError) -> Void

  /// The name on the command line: `condition-scale`; of a list that is given piece by piece, the
  /// name of one piece.
  public var flag: String {
    if case .parts(let family) = kind { return family.rawValue }
    return flagName(of: name)
  }

  /// Help with range and default.
  public func fullHelp() -> String {
    var notes = [kind.note()].compactMap(\.self)
    if let value = `default` {
      notes.append("default \(value == .array([]) ? "none" : shown(value))")
    }
    return notes.isEmpty ? help + "." : "\(help) (\(notes.joined(separator: "; ")))."
  }
}

// MARK: - Making declarations

extension ParameterDeclaration {
  typealias Path<Value> = any WritableKeyPath<Request, Value?> & Sendable

  /// A parameter whose checked value reads as `Value`.
  private init<Value>(
    _ name: String, _ path: Path<Value>, _ kind: ParameterKind, _ group: Group,
    _ needs: Capabilities,
    default: JSONValue?, _ help: String, write: @escaping @Sendable (Value) -> JSONValue,
    read: @escaping @Sendable (JSONValue) throws(RequestError) -> Value?
  ) {
    self.init(
      name: name, kind: kind, group: group, needs: needs, default: `default`, help: help,
      get: { $0[keyPath: path].map(write) },
      set: { request, value throws(RequestError) in
        guard let value, value != .null else {
          request[keyPath: path] = nil
          return
        }
        request[keyPath: path] = try read(kind.check(value, of: name))
      })
  }

  static func text(
    _ name: String, _ path: Path<String>, limit: Int, _ group: Group, _ needs: Capabilities = [],
    _ help: String
  ) -> Self {
    Self(
      name, path, .text(limit: limit), group, needs, default: nil, help, write: JSONValue.string
    ) { value throws(RequestError) in
      if case .string(let text) = value { text } else { nil }
    }
  }

  /// A text without a grammar; a blank one is none.
  static func words(
    _ name: String, _ path: Path<String>, limit: Int, _ group: Group, _ needs: Capabilities = [],
    _ help: String
  ) -> Self {
    let kind = ParameterKind.text(limit: limit)
    return Self(
      name: name, kind: kind, group: group, needs: needs, default: nil, help: help,
      get: { $0[keyPath: path].map(JSONValue.string) },
      set: { request, value throws(RequestError) in
        request[keyPath: path] = nil
        guard let value, value != .null else { return }
        if case .string(let text) = value, text.trimmed.isEmpty { return }
        guard case .string(let text) = try kind.check(value, of: name) else { return }
        guard !text.unicodeScalars.contains("\0") else {
          throw .badValue(field: name, reason: "contains a NUL character")
        }
        request[keyPath: path] = text.trimmed
      })
  }

  static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ group: Group,
    _ needs: Capabilities = [], default: Int? = nil, _ help: String
  ) -> Self {
    Self(
      name, path, .integer(range), group, needs, default: `default`.map(JSONValue.integer), help,
      write: JSONValue.integer
    ) { value throws(RequestError) in
      if case .integer(let number) = value { number } else { nil }
    }
  }

  static func seed(
    _ name: String, _ path: Path<Int>, _ group: Group, _ needs: Capabilities = [], _ help: String
  ) -> Self {
    let kind = ParameterKind.integer(Seed.range)
    return Self(
      name: name, kind: kind, group: group, needs: needs, default: nil, help: help,
      get: { $0[keyPath: path].map(JSONValue.integer) },
      set: { request, value throws(RequestError) in
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .string(let text): request[keyPath: path] = try Seed.number(of: text, field: name)
        case let value?:
          if case .integer(let number) = try kind.check(value, of: name) {
            request[keyPath: path] = number
          }
        }
      })
  }

  static func number(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ group: Group,
    _ needs: Capabilities = [], default: Double? = nil, _ help: String
  ) -> Self {
    Self(
      name, path, .number(range), group, needs, default: `default`.map(JSONValue.number), help,
      write: JSONValue.number
    ) { value throws(RequestError) in
      if case .number(let number) = value { number } else { nil }
    }
  }

  static func schedule(
    _ name: String, _ path: Path<Schedule>, _ range: ClosedRange<Double>, _ group: Group,
    _ needs: Capabilities = [], default: Double? = nil, _ help: String
  ) -> Self {
    Self(
      name, path, .schedule(range), group, needs, default: `default`.map(JSONValue.number), help,
      write: \.json
    ) { value throws(RequestError) in Schedule(json: value) }
  }

  static func numbers(
    _ name: String, _ path: Path<[Double]>, _ range: ClosedRange<Double>, most: Int,
    _ group: Group, _ needs: Capabilities = [], default: [Double]? = nil, _ help: String
  ) -> Self {
    Self(
      name, path, .numbers(range, most: most), group, needs,
      default: `default`.map { .array($0.map(JSONValue.number)) }, help,
      write: { .array($0.map(JSONValue.number)) }
    ) { value throws(RequestError) in
      guard case .array(let values) = value else { return nil }
      return values.compactMap { if case .number(let number) = $0 { number } else { nil } }
    }
  }

  static func choice<Word: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Word>, _ group: Group, _ needs: Capabilities = [],
    default: Word? = nil, _ help: String
  ) -> Self where Word.RawValue == String {
    Self(
      name, path, .choice(Word.allCases.map(\.rawValue)), group, needs,
      default: `default`.map { .string($0.rawValue) }, help, write: { .string($0.rawValue) }
    ) { value throws(RequestError) in
      if case .string(let word) = value { Word(rawValue: word) } else { nil }
    }
  }

  static func method(
    _ name: String, _ path: Path<Method.ID>, _ group: Group, _ help: String
  ) -> Self {
    Self(
      name, path, .method, group, [], default: .string(Method.ID.auto.rawValue), help,
      write: { .string($0.rawValue) }
    ) { value throws(RequestError) in
      if case .string(let word) = value { Method.ID(rawValue: word) } else { nil }
    }
  }

  static func augmentations(
    _ name: String, _ path: Path<[Augmentation]>, _ group: Group, _ needs: Capabilities,
    default: [Augmentation]? = nil, _ help: String
  ) -> Self {
    Self(
      name, path, .augmentations, group, needs,
      default: `default`.map { .array($0.map { .string($0.rawValue) }) }, help,
      write: { .array($0.map { .string($0.rawValue) }) }
    ) { value throws(RequestError) in
      guard case .array(let values) = value else { return nil }
      return values.compactMap {
        if case .string(let word) = $0 { Augmentation(rawValue: word) } else { nil }
      }
    }
  }

  static func file(
    _ name: String, _ path: Path<FileReference>, _ group: Group, _ needs: Capabilities = [],
    _ help: String
  ) -> Self {
    Self(name, path, .file, group, needs, default: nil, help, write: \.json) {
      value throws(RequestError) in FileReference(json: value)
    }
  }

  static func parts(
    _ name: String, _ path: Path<[PartSpec]>, _ family: PartSpec.Family, _ group: Group,
    _ needs: Capabilities, _ help: String
  ) -> Self {
    Self(
      name, path, .parts(family), group, needs, default: nil, help,
      write: { .array($0.map(\.json)) }
    ) { value throws(RequestError) in
      guard case .array(let values) = value else { return nil }
      var parts: [PartSpec] = []
      for value in values { parts.append(try PartSpec(json: value, family, in: nil)) }
      return parts
    }
  }

  static func prompts(
    _ name: String, _ path: Path<[Prompt]>, _ group: Group, _ needs: Capabilities, _ help: String
  ) -> Self {
    Self(
      name, path, .prompts, group, needs, default: nil, help, write: { .array($0.map(\.json)) }
    ) { value throws(RequestError) in
      guard case .array(let values) = value else { return nil }
      var prompts: [Prompt] = []
      for value in values { prompts.append(try Prompt(json: value)) }
      return prompts
    }
  }
}

/// A name of JSON as the command line spells it: `condition-scale`.
public func flagName(of name: String) -> String {
  name.reduce(into: "") { flag, character in
    flag += character.isUppercase ? "-" + character.lowercased() : String(character)
  }
}
