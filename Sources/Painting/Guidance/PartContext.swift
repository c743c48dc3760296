import Foundation
import Imaging
import Torch

/// Where a part of the machine is made: for which picture, from which arguments, with what at hand.
///
/// A part reads the arguments that it declares, and no others: reading one that is not declared, or as
/// another kind, traps.
public struct PartContext {
  /// Width of the picture in pixels.
  public let width: Int
  /// Height of the picture in pixels.
  public let height: Int
  /// From which all random numbers derive.
  public let seed: UInt64
  /// Where it computes.
  public let device: Device
  /// The picture to begin from, `[1, 3, H, W]` in 0…1; nil when there is none.
  public let initial: Tensor?
  /// Files that arguments name, by the SHA-256 of their content.
  public let files: [String: URL]
  /// What is painted, with its networks, where parts must look further than at their arguments; nil where a
  /// part is made by itself.
  public let painting: PipelineContext?

  private let name: String
  private let declared: [String: ParameterKind]
  private let arguments: [String: JSONValue]

  /// A part by itself.
  /// - Parameters:
  ///   - name: of the part, for messages.
  ///   - declared: its arguments.
  ///   - arguments: values by name; what is left out has the declaration's default.
  public init(
    _ name: String, _ declared: [PartArgument], _ arguments: [String: JSONValue] = [:],
    width: Int, height: Int, seed: UInt64 = 0, device: Device = .cpu, initial: Tensor? = nil,
    files: [String: URL] = [:]
  ) {
    self.name = name
    self.declared = declared.kinds
    self.arguments = declared.filled(arguments)
    (self.width, self.height, self.seed, self.device) = (width, height, seed, device)
    (self.initial, self.files, painting) = (initial, files, nil)
  }

  init(
    _ name: String, _ declared: [PartArgument], _ arguments: [String: JSONValue],
    painting: PipelineContext
  ) {
    self.name = name
    self.declared = declared.kinds
    self.arguments = arguments
    self.painting = painting
    (width, height) = (painting.size.width, painting.size.height)
    (seed, device) = (painting.seed, painting.device)
    (initial, files) = (painting.initial, painting.files.files)
  }

  /// The painting that the part belongs to.
  /// - Throws: `RequestError` where the part is made by itself.
  public func ofPainting() throws -> PipelineContext {
    guard let painting else {
      throw RequestError.badValue(field: name, reason: "needs the networks of an engine")
    }
    return painting
  }

  /// The stream `name` of the picture's seed.
  public func stream(_ name: String) -> RandomStream { RandomStream(seed: seed, name) }

  // MARK: Arguments

  /// A number.
  public func number(_ name: String) -> Double {
    guard let value = numberIfGiven(name) else {
      preconditionFailure("\(self.name) declares no default for '\(name)'")
    }
    return value
  }

  /// A number, if given.
  public func numberIfGiven(_ name: String) -> Double? {
    check(name) { if case .number = $0 { true } else { false } }
    return switch arguments[name] {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// A value over the steps.
  public func schedule(_ name: String) -> Schedule {
    check(name) { if case .schedule = $0 { true } else { false } }
    guard let schedule = arguments[name].flatMap(Schedule.init(json:)) else {
      preconditionFailure("\(self.name) declares no default for '\(name)'")
    }
    return schedule
  }

  /// Several numbers.
  public func numbers(_ name: String) -> [Double] {
    check(name) { if case .numbers = $0 { true } else { false } }
    guard case .array(let values) = arguments[name] else {
      preconditionFailure("\(self.name) declares no default for '\(name)'")
    }
    return values.compactMap { value in
      switch value {
      case .number(let number): number
      case .integer(let number): Double(number)
      default: nil
      }
    }
  }

  /// A whole number.
  public func integer(_ name: String) -> Int {
    guard let value = integerIfGiven(name) else {
      preconditionFailure("\(self.name) declares no default for '\(name)'")
    }
    return value
  }

  /// A whole number, if given.
  public func integerIfGiven(_ name: String) -> Int? {
    check(name) { if case .integer = $0 { true } else { false } }
    return if case .integer(let value) = arguments[name] { value } else { nil }
  }

  /// Whether something is wanted.
  public func flag(_ name: String) -> Bool {
    check(name) { $0 == .flag }
    return arguments[name] == .bool(true)
  }

  /// A text, if given.
  public func text(_ name: String) -> String? {
    check(name) { if case .text = $0 { true } else { false } }
    return if case .string(let value) = arguments[name] { value } else { nil }
  }

  /// One of the words that `Word` has.
  public func choice<Word: RawRepresentable>(_ name: String, as type: Word.Type = Word.self) -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: choice(name)) else {
      preconditionFailure("\(self.name) declares words for '\(name)' that are none of \(type)'s")
    }
    return word
  }

  /// One of the words that were declared.
  public func choice(_ name: String) -> String {
    check(name) { if case .choice = $0 { true } else { false } }
    guard case .string(let word) = arguments[name] else {
      preconditionFailure("\(self.name) declares no default for '\(name)'")
    }
    return word
  }

  /// A file, if given.
  public func file(_ name: String) -> URL? {
    check(name) { $0 == .file }
    guard case .object(let fields) = arguments[name], case .string(let hash) = fields["sha256"]
    else { return nil }
    return files[hash]
  }

  /// A picture file at the size of the picture that is painted, cut to its proportions:
  /// `[1, 3, H, W]` in 0…1. Nil when the argument was not given.
  public func picture(_ name: String) throws -> Tensor? {
    guard let url = file(name) else { return nil }
    return try Picture.read(from: url.path).filled(width: width, height: height).tensor()
      .to(device)
  }

  private func check(_ name: String, _ fits: (ParameterKind) -> Bool) {
    guard let kind = declared[name], fits(kind) else {
      preconditionFailure("\(self.name) declares no such argument '\(name)'")
    }
  }

  // MARK: Colours

  /// The colours of an argument in palette syntax, `[K, 3]` in 0…1; nil when it was not given. A file in
  /// it (`@file`) is the one of the argument `file`.
  func palette(_ name: String) throws -> Tensor? {
    guard let text = text(name) ?? file("file").map({ _ in "@file" }) else { return nil }
    let colors = try Palette.parse(text) { _ in
      guard let url = file("file") else {
        throw RequestError.badValue(
          field: name,
          reason: "names a file; say which with file=PICTURE, and @file where it belongs")
      }
      return url
    }
    guard !colors.isEmpty else {
      throw RequestError.badValue(
        field: name, reason: "names no colour. Give some, as in [red,#0044ff]")
    }
    return table(colors)
  }

  /// The colour of an argument, `[1, 3, 1, 1]` in 0…1; white when it was not given.
  func color(_ name: String) throws -> Tensor {
    table([try text(name).map(Color.init(parsing:)) ?? .white]).reshaped(1, 3, 1, 1)
  }

  private func table(_ colors: [Color]) -> Tensor {
    let values = colors.flatMap { [$0.red, $0.green, $0.blue].map { Float($0) / 255 } }
    return Tensor(values, [colors.count, 3]).to(device)
  }
}

extension [PartArgument] {
  fileprivate var kinds: [String: ParameterKind] {
    Dictionary(map { ($0.name, $0.kind) }) { $1 }
  }
}
