/// One parameter of a request, declared once: command line, JSON, validation, help and metadata
/// derive from it.
public struct ParameterDeclaration: Sendable {
  /// Under what heading it stands in help and forms.
  public enum Group: String, Sendable, CaseIterable {
    case picture = "Picture"
    case optimisation = "VQGAN+CLIP"
    case sampling = "DALL·E"
    case execution = "Execution"
  }

  /// Which values it takes.
  public enum Kind: Sendable, Hashable {
    /// Text of at most so many characters.
    case text(limit: Int)
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// A number in a range.
    case number(ClosedRange<Double>)
    /// One of these words.
    case choice([String])
    /// Some of these words, possibly none.
    case choices([String])
    /// A picture named by its content.
    case image
  }

  /// The name in JSON, `conditionScale` for instance.
  public let name: String
  /// Which values it takes.
  public let kind: Kind
  /// Under what heading it stands.
  public let group: Group
  /// The methods that take it; empty means all.
  public let methods: [Method]
  /// What stands in when neither the request nor the pack gives a value.
  public let standard: JSONValue?
  /// What it does, in one sentence, without the final stop.
  public let help: String

  let get: @Sendable (Request) -> JSONValue?
  let set: @Sendable (inout Request, JSONValue?) throws(RequestError) -> Void

  /// The name on the command line: `condition-scale`.
  public var flag: String {
    name.reduce(into: "") { flag, character in
      flag += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
  }

  /// Help with range and default.
  /// - Parameter listingWords: whether the words of a choice are listed, too.
  public func fullHelp(listingWords: Bool = true) -> String {
    var notes: [String] = []
    switch kind {
    case .text, .image: break
    case .integer(let range): notes.append("\(range.lowerBound) to \(range.upperBound)")
    case .number(let range):
      notes.append("\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
    case .choice(let words):
      if listingWords { notes.append(words.joined(separator: ", ")) }
    case .choices(let words): notes.append("any of " + words.joined(separator: ", ") + "; or none")
    }
    if let standard { notes.append("default \(Self.text(standard))") }
    return notes.isEmpty ? help + "." : "\(help) (\(notes.joined(separator: "; ")))."
  }

  /// Whether `method` takes it.
  public func belongs(to method: Method) -> Bool {
    method == .auto || methods.isEmpty || methods.contains(method)
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .integer(let value): "\(value)"
    case .number(let value): text(value)
    case .string(let value): value
    case .array(let values): values.map(text).joined(separator: ",")
    case .bool, .null, .object: ""
    }
  }

  private static func text(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}

// MARK: - Making declarations

extension ParameterDeclaration {
  typealias Path<Value> = any WritableKeyPath<Request, Value?> & Sendable

  static func text(
    _ name: String, _ path: Path<String>, limit: Int, _ group: Group, methods: [Method] = [],
    _ help: String
  ) -> Self {
    Self(
      name: name, kind: .text(limit: limit), group: group, methods: methods, standard: nil,
      help: help, get: { $0[keyPath: path].map(JSONValue.string) },
      set: { request, value throws(RequestError) in
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .string(let text) where !text.isEmpty && text.count <= limit:
          request[keyPath: path] = text
        case .some(let value):
          throw .badValue(
            field: name, reason: "must be a text of 1 to \(limit) characters" + found(value))
        }
      })
  }

  static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ group: Group,
    methods: [Method] = [], standard: Int? = nil, _ help: String
  ) -> Self {
    Self(
      name: name, kind: .integer(range), group: group, methods: methods,
      standard: standard.map(JSONValue.integer), help: help,
      get: { $0[keyPath: path].map(JSONValue.integer) },
      set: { request, value throws(RequestError) in
        let limits = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .integer(let value) where range.contains(value): request[keyPath: path] = value
        case .some(let value): throw .badValue(field: name, reason: limits + found(value))
        }
      })
  }

  static func number(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ group: Group,
    methods: [Method] = [], standard: Double? = nil, _ help: String
  ) -> Self {
    Self(
      name: name, kind: .number(range), group: group, methods: methods,
      standard: standard.map(JSONValue.number), help: help,
      get: { $0[keyPath: path].map(JSONValue.number) },
      set: { request, value throws(RequestError) in
        let limits = "must be a number from \(text(range.lowerBound)) to \(text(range.upperBound))"
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .number(let value) where range.contains(value): request[keyPath: path] = value
        case .integer(let value) where range.contains(Double(value)):
          request[keyPath: path] = Double(value)
        case .some(let value): throw .badValue(field: name, reason: limits + found(value))
        }
      })
  }

  static func choice<Word: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Word>, _ group: Group, methods: [Method] = [],
    standard: Word? = nil, _ help: String
  ) -> Self where Word.RawValue == String {
    let words = Word.allCases.map(\.rawValue)
    return Self(
      name: name, kind: .choice(words), group: group, methods: methods,
      standard: standard.map { .string($0.rawValue) }, help: help,
      get: { $0[keyPath: path].map { .string($0.rawValue) } },
      set: { request, value throws(RequestError) in
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .some(let value):
          request[keyPath: path] = try word(value, of: name, words)
        }
      })
  }

  static func choices<Word: RawRepresentable & CaseIterable & Hashable & Sendable>(
    _ name: String, _ path: Path<[Word]>, _ group: Group, methods: [Method] = [],
    standard: [Word]? = nil, _ help: String
  ) -> Self where Word.RawValue == String {
    let words = Word.allCases.map(\.rawValue)
    return Self(
      name: name, kind: .choices(words), group: group, methods: methods,
      standard: standard.map { .array($0.map { .string($0.rawValue) }) }, help: help,
      get: { $0[keyPath: path].map { .array($0.map { .string($0.rawValue) }) } },
      set: { request, value throws(RequestError) in
        switch value {
        case nil, .null: request[keyPath: path] = nil
        case .array(let values):
          var chosen: [Word] = []
          for value in values {
            let one: Word = try word(value, of: name, words)
            if !chosen.contains(one) { chosen.append(one) }
          }
          request[keyPath: path] = chosen
        case .some(let value):
          throw .badValue(
            field: name, reason: "must be a list of \(words.joined(separator: ", "))" + found(value)
          )
        }
      })
  }

  private static func word<Word: RawRepresentable>(
    _ value: JSONValue, of name: String, _ words: [String]
  ) throws(RequestError) -> Word where Word.RawValue == String {
    if case .string(let text) = value, let word = Word(rawValue: text) { return word }
    throw .badValue(
      field: name, reason: "must be one of \(words.joined(separator: ", "))" + found(value))
  }

  static func found(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): ", not '\(text.prefix(40))'"
    case .integer, .number: ", not \(text(value))"
    case .bool(let flag): ", not \(flag)"
    case .null, .array, .object: ", not a list or an object"
    }
  }
}
