/// Which values a parameter, or an argument of a part, takes.
public enum ParameterKind: Sendable, Hashable {
  /// Text of at most so many characters.
  case text(limit: Int)
  /// A whole number in a range.
  case integer(ClosedRange<Int>)
  /// A number in a range.
  case number(ClosedRange<Double>)
  /// A number in a range, or several over the steps; see `Schedule`.
  case schedule(ClosedRange<Double>)
  /// Yes or no.
  case flag
  /// Numbers in a range, at most so many.
  case numbers(ClosedRange<Double>, most: Int)
  /// Seeds, at most so many.
  case seeds(most: Int)
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
  /// - Parameter registry: knows the names of parts; nil leaves these for later.
  /// - Throws: `RequestError.badValue` naming the field.
  public func check(_ value: JSONValue, of field: String, in registry: Registry? = nil)
    throws(RequestError) -> JSONValue
  {
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
    case (.schedule(let range), let value):
      guard let schedule = Schedule(json: value) else {
        throw refuse("a number, or numbers over the steps as in 0.1*100,0.05*50 or 0:1,50:1.05")
      }
      guard schedule.values.allSatisfy(range.contains) else {
        throw refuse("a number from \(shown(range.lowerBound)) to \(shown(range.upperBound))")
      }
      return schedule.json
    case (.numbers(let range, let most), .array(let values)) where values.count <= most:
      var checked: [JSONValue] = []
      for value in values { checked.append(try Self.number(range).check(value, of: field)) }
      return .array(checked)
    case (.numbers(_, let most), _): throw refuse("a list of at most \(most) numbers")
    case (.seeds(let most), .array(let values)) where values.count <= most:
      var seeds: [JSONValue] = []
      for value in values { seeds.append(try Self.integer(Seed.range).check(value, of: field)) }
      return .array(seeds)
    case (.seeds(let most), _): throw refuse("a list of at most \(most) seeds")
    case (.choice(let words), .string(let word)) where words.contains(word): return value
    case (.choice(let words), _): throw refuse("one of " + words.joined(separator: ", "))
    case (.method, .string): return value
    case (.method, _): throw refuse("the name of a method")
    case (.flag, .bool): return value
    // As earlier versions wrote it, and as a command line does.
    case (.flag, .string("yes")), (.flag, .string("true")): return .bool(true)
    case (.flag, .string("no")), (.flag, .string("false")): return .bool(false)
    case (.flag, _): throw refuse("yes or no")
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
      for value in values { parts.append(try PartSpec(json: value, family, in: registry).json) }
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
    case .flag: "yes or no"
    case .parts(let family): "NAME:WEIGHT,ARGUMENT=VALUE; see reverie explain \(family.rawValue)s"
    case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .number(let range): "\(shown(range.lowerBound)) to \(shown(range.upperBound))"
    case .schedule(let range):
      "\(shown(range.lowerBound)) to \(shown(range.upperBound)); over the steps as in 0.1*100,0.05*50 "
        + "or 0:1,50:1.05"
    case .numbers(let range, _):
      "numbers from \(shown(range.lowerBound)) to \(shown(range.upperBound)), by commas"
    case .seeds: "numbers or words, by commas"
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
  case .bool(let value): value ? "yes" : "no"
  case .null, .object: ""
  }
}

func shown(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}
