import ArgumentParser
import Foundation
import Painting

/// What `--grid` asks for: up to three axes, whose values are all painted with each other.
struct Grid {
  /// One parameter and the values that it takes in turn.
  struct Axis: Equatable, Codable {
    let name: String
    let values: [String]
  }

  /// One of the pictures.
  struct Cell {
    /// Resolved.
    let request: Request
    let files: Attachments
    /// One of each axis.
    let values: [String]
  }

  /// Columns, rows, blocks of rows.
  let axes: [Axis]

  static let mostPictures = 400
  static let mostAxes = 3

  /// A grid of these axes.
  init(axes: [Axis]) { self.axes = axes }

  /// Reads the axes as they are typed.
  /// - Throws: `ValidationError`.
  init(_ texts: [String]) throws {
    guard texts.count <= Self.mostAxes else {
      throw ValidationError("--grid may be given three times at most, not \(texts.count) times.")
    }
    axes = try texts.map(Axis.init(parsing:))
    if let twice = axes.first(where: { axis in axes.count { $0.name == axis.name } > 1 }) {
      throw ValidationError("--grid has '\(twice.name)' twice. Give all its values at once.")
    }
    // Each has at most as many values, so that this cannot overflow.
    let count = axes.reduce(1) { $0 * $1.values.count }
    guard count <= Self.mostPictures else {
      throw ValidationError(
        "--grid asks for \(count) pictures; \(Self.mostPictures) are the most. Give fewer values.")
    }
  }

  /// One value of each axis for every picture, those of the first axis side by side.
  var combinations: [[String]] {
    axes.reversed().reduce([[]]) { rest, axis in
      rest.flatMap { values in axis.values.map { [$0] + values } }
    }
  }
}

extension Grid.Axis {
  private static let mostValues = 100

  /// Reads `name=values`: values by commas, each a single one or a range `1..4` or `0..1..0.25`. Where
  /// there is a semicolon, and for prompts, objectives and filters, only semicolons part values.
  init(parsing text: String) throws {
    let pieces = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(pieces[0].drop { $0 == "-" })
    guard pieces.count == 2, !pieces[1].isEmpty else {
      throw ValidationError(
        "--grid takes a name and its values, as in seed=1..4, not '\(text.prefix(40))'.")
    }
    let names = RequestArguments.flags + ["prompt", "preset"]
    guard names.contains(name) else {
      throw ValidationError(
        "--grid has no parameter '\(name.prefix(40))'"
          + (nearestName(to: name, among: names).map { ". Did you mean '\($0)'?" }
            ?? ". See: reverie --help"))
    }
    let list = String(pieces[1])
    let isWhole = name == "prompt" || Request.parameters.contains { $0.flag == name && $0.isParts }
    let items = list.split(separator: isWhole || list.contains(";") ? ";" : ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    var values: [String] = []
    for item in items where !item.isEmpty { values += try Self.range(item) ?? [item] }
    guard (1...Self.mostValues).contains(values.count) else {
      throw ValidationError(
        "--grid \(name) has \(values.count) values; it takes from 1 to \(Self.mostValues).")
    }
    (self.name, self.values) = (name, values)
  }

  /// The numbers of `first..last` or `first..last..step`; nil when it is no range.
  private static func range(_ text: String) throws -> [String]? {
    let ends = text.components(separatedBy: "..")
    let numbers = ends.filter { !$0.hasPrefix(".") }.compactMap(Double.init)
    guard (2...3).contains(ends.count), numbers.count == ends.count else { return nil }
    // Beyond these a number of type Double is not each whole number.
    let bound = Double(Seed.range.upperBound)
    guard numbers.allSatisfy({ abs($0) <= bound }) else {
      throw ValidationError(
        "The range \(text.prefix(40)) goes beyond \(Seed.range.upperBound). Give smaller numbers.")
    }
    let (first, last) = (numbers[0], numbers[1])
    let step = numbers.count == 3 ? numbers[2] : first <= last ? 1 : -1
    guard step != 0, (last - first) * step >= 0 else {
      throw ValidationError("The range \(text.prefix(40)) never gets to its end. Turn its step.")
    }
    // A little more than what is there, so that 0..1..0.1 has its end.
    let count = ((last - first) / step + 1e-9).rounded(.down) + 1
    guard count <= Double(mostValues) else {
      throw ValidationError(
        "The range \(text.prefix(40)) has more than \(mostValues) values. Take larger steps.")
    }
    return (0..<Int(count)).map { index in
      let value = first + Double(index) * step
      return value == value.rounded() ? "\(Int(value))" : String(format: "%.10g", value)
    }
  }

  /// Gives the parameter one of the values, as if it stood on the command line.
  func set(_ value: String, in arguments: inout RequestArguments) throws {
    // So that a grid may show what it is like without any.
    if value == "none", Request.parameters.contains(where: { $0.flag == name && $0.isParts }) {
      return
    }
    try arguments.set(name, value)
  }

  /// How the sheet names a value.
  func label(_ value: String) -> String {
    ["prompt", "method", "preset"].contains(name) && value != "none" ? value : "\(name) \(value)"
  }
}

extension ParameterDeclaration {
  /// Whether it takes objectives or filters.
  var isParts: Bool { if case .parts = kind { true } else { false } }
}
