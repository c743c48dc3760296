/// Which values a parameter, or an argument of a part, takes.
public enum ParameterKind: Sendable, Hashable {
  /// Text of at most so many characters.
  case text(limit: Int)
  /// A whole number in a range.
  case integer(ClosedRange<Int>)
  /// A number in a range.
  case number(ClosedRange<Double>)
  /// Numbers in a range, at most so many.
  case numbers(ClosedRange<Double>, most: Int)
  /// One of these words.
  case choice([String])
  /// A method's name.
  case method
  /// Some of these words, each once, possibly none.
  case choices([String])
  /// Augmentations in order, with strengths.
  case augmentations
  /// A file named by its content.
  case file
  /// Objectives or filters with their weights and arguments.
  case parts(PartSpec.Family)
  /// Prompts in their structured form.
  case prompts

  /// The value in its exact type.
  /// - Throws: `RequestError.badValue` naming the field.
  func check(_ value: JSONValue, of field: String) throws(RequestError) -> JSONValue {
    func refuse(_ wanted: String) -> RequestError {
      .badValue(field: field, reason: "must be " + wanted + Self.found(value))
    }
    switch (self, value) {
    case (.text(let limit), .string(let text)) where !text.isEmpty && text.count <= limit:
      return value
    case (.text(let limit), _): throw refuse("a text of 1 to \(limit) characters")
    case (.integer(let range), .integer(let number)) where range.contains(number): return value
    case (.integer(let range), _):
      throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
    case (.number(let range), .number(let number)) where range.contains(number): return value
    case (.number(let range), .integer(let number)) where range.contains(Double(number)):
      return .number(Double(number))
    case (.number(let range), _):
      throw refuse("a number from \(shown(range.lowerBound)) to \(shown(range.upperBound))")
    case (.numbers(let range, let most), .array(let values)) where values.count <= most:
      var checked: [JSONValue] = []
      for value in values { checked.append(try Self.number(range).check(value, of: field)) }
      return .array(checked)
    case (.numbers(_, let most), _): throw refuse("a list of at most \(most) numbers")
    case (.choice(let words), .string(let word)) where words.contains(word): return value
    case (.choice(let words), _): throw refuse("one of " + words.joined(separator: ", "))
    case (.method, _):
      return try Self.choice(Method.allCases.map(\.rawValue)).check(value, of: field)
    case (.choices(let words), .array(let values)):
      var chosen: [JSONValue] = []
      for value in values {
        let one = try Self.choice(words).check(value, of: field)
        if !chosen.contains(one) { chosen.append(one) }
      }
      return .array(chosen)
    case (.choices(let words), _): throw refuse("a list of " + words.joined(separator: ", "))
    case (.augmentations, .array(let values)):
      for value in values {
        guard case .string(let word) = value, Augmentation(rawValue: word) != nil else {
          let words = Augmentation.words.joined(separator: ", ")
          throw .badValue(
            field: field,
            reason: "must be one of \(words), or one with its strength as in affine:0.5"
              + Self.found(value))
        }
      }
      return value
    case (.augmentations, _): throw refuse("a list of augmentations")
    case (.file, _):
      guard FileReference(json: value) != nil else {
        throw .badValue(
          field: field, reason: "must have a file 'name' without folders and its 'sha256'")
      }
      return value
    case (.parts(let family), .array(let values)) where values.count <= 16:
      var parts: [JSONValue] = []
      for value in values { parts.append(try PartSpec(json: value, family).json) }
      return .array(parts)
    case (.parts, _): throw refuse("a list of at most 16 objects with a 'name'")
    case (.prompts, .array(let values)) where values.count <= Prompt.most:
      var prompts: [JSONValue] = []
      for value in values { prompts.append(try Prompt(json: value).json) }
      return .array(prompts)
    case (.prompts, _): throw refuse("a list of at most \(Prompt.most) prompts")
    }
  }

  /// What it takes, for help; nil when that goes without saying.
  public func note() -> String? {
    switch self {
    case .text, .file, .prompts: nil
    case .parts(let family): "NAME:WEIGHT,ARGUMENT=VALUE; see reverie explain \(family.rawValue)s"
    case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .number(let range): "\(shown(range.lowerBound)) to \(shown(range.upperBound))"
    case .numbers(let range, _):
      "numbers from \(shown(range.lowerBound)) to \(shown(range.upperBound)), by commas"
    case .method: "see reverie explain methods"
    case .choice(let words): words.joined(separator: ", ")
    case .choices(let words): "any of " + words.joined(separator: ", ") + "; or none"
    case .augmentations:
      "in order, any of " + Augmentation.words.joined(separator: ", ")
        + ", each with :STRENGTH if wanted; or none"
    }
  }

  private static func found(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): ", not '\(text.prefix(40))'"
    case .integer, .number: ", not \(shown(value))"
    case .bool(let flag): ", not \(flag)"
    case .null, .array, .object: ", not a list or an object"
    }
  }
}

/// A value as help and messages show it.
func shown(_ value: JSONValue) -> String {
  switch value {
  case .integer(let value): "\(value)"
  case .number(let value): shown(value)
  case .string(let value): value
  case .array(let values): values.map(shown).joined(separator: ",")
  case .bool, .null, .object: ""
  }
}

func shown(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}
