/// A value over the steps of a painting, or the frames of a film.
///
/// As text it is a value, runs of values, or keyframes with straight lines between them:
///
/// ```
/// 0.1                    always
/// 0.1*100,0.05*50        a hundred steps, then fifty; the last value goes on
/// 0:1, 50:1.05           from step to step
/// ```
///
/// Disco Diffusion's forms are read, too: `[12]*400+[4]*600` and `0: (1), 50: (1.05)`.
public struct Schedule: Sendable, Hashable {
  private enum Form: Hashable {
    case constant(Double)
    case runs([Run])
    case keyframes([Keyframe])
  }

  private struct Run: Hashable {
    let value: Double
    let steps: Int
  }

  private struct Keyframe: Hashable {
    let step: Int
    let value: Double
  }

  private let form: Form

  private init(form: Form) { self.form = form }

  /// The same value at every step.
  public init(_ value: Double) {
    // What is no number cannot be written down; the largest is beyond every range too.
    form = .constant(value.isFinite ? value : .greatestFiniteMagnitude)
  }

  /// Reads the text form; nil when it is none. Steps are at most a million.
  public init?(_ text: String) {
    if text.trimmed.hasPrefix("[") {
      guard let runs = Self.lists(text) else { return nil }
      form = runs.count == 1 ? .constant(runs[0].value) : .runs(runs)
      return
    }
    let pieces = text.split(separator: ",", omittingEmptySubsequences: false).map {
      String($0).trimmed
    }
    func pairs(_ separator: Character) -> [(String, String)]? {
      let pairs = pieces.map { $0.split(separator: separator, omittingEmptySubsequences: false) }
      guard pairs.allSatisfy({ $0.count == 2 }) else { return nil }
      return pairs.map { (String($0[0]).trimmed, String($0[1]).trimmed) }
    }
    func steps(_ text: String, from least: Int) -> Int? {
      Int(text).flatMap { (least...1_000_000).contains($0) ? $0 : nil }
    }
    func number(_ text: String) -> Double? {
      let isBracketed = text.hasPrefix("(") && text.hasSuffix(")")
      return Self.number(isBracketed ? String(text.dropFirst().dropLast()).trimmed : text)
    }
    guard (1...1_000).contains(pieces.count) else { return nil }
    if pieces.count == 1, let value = number(pieces[0]) {
      form = .constant(value)
    } else if let pairs = pairs("*") {
      let runs = pairs.compactMap { pair -> Run? in
        guard let value = number(pair.0), let steps = steps(pair.1, from: 1) else { return nil }
        return Run(value: value, steps: steps)
      }
      guard runs.count == pairs.count else { return nil }
      form = .runs(runs)
    } else if let pairs = pairs(":") {
      let frames = pairs.compactMap { pair -> Keyframe? in
        guard let step = steps(pair.0, from: 0), let value = number(pair.1) else { return nil }
        return Keyframe(step: step, value: value)
      }
      guard frames.count == pairs.count,
        zip(frames, frames.dropFirst()).allSatisfy({ $0.step < $1.step })
      else { return nil }
      form = .keyframes(frames)
    } else {
      return nil
    }
  }

  private static func number(_ text: String) -> Double? {
    Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The runs of lists that are repeated and put together: `[12]*400+[4]*600`, `[1, 1, 2]`.
  private static func lists(_ text: String) -> [Run]? {
    var runs: [Run] = []
    for term in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let match = term.wholeMatch(of: /\s*\[([^\[\]]*)\]\s*(?:\*\s*(\d{1,7})\s*)?/),
        let times = Int(match.2 ?? "1"), (1...1_000_000).contains(times)
      else { return nil }
      let values = match.1.split(separator: ",").map { number(String($0).trimmed) }
      guard (1...10_000).contains(values.count), values.count == 1 || times == 1 else { return nil }
      for value in values {
        guard let value else { return nil }
        if let last = runs.last, last.value == value {
          runs[runs.count - 1] = Run(value: value, steps: min(1_000_000, last.steps + times))
        } else {
          runs.append(Run(value: value, steps: times))
        }
      }
      guard runs.count <= 1_000 else { return nil }
    }
    return runs
  }

  /// The value at a step, counted from 0.
  public func value(at step: Int) -> Double {
    switch form {
    case .constant(let value): return value
    case .runs(let runs):
      var end = 0
      for run in runs {
        end += run.steps
        if step < end { return run.value }
      }
      return runs[runs.count - 1].value
    case .keyframes(let frames):
      guard let next = frames.firstIndex(where: { $0.step > step }) else {
        return frames[frames.count - 1].value
      }
      guard next > 0 else { return frames[0].value }
      let (a, b) = (frames[next - 1], frames[next])
      let share = Double(step - a.step) / Double(b.step - a.step)
      return a.value + (b.value - a.value) * share
    }
  }

  /// The value, where it is the same at every step.
  public var constant: Double? { if case .constant(let value) = form { value } else { nil } }

  /// The schedule with every value changed.
  func mapped(_ change: (Double) -> Double) -> Schedule {
    switch form {
    case .constant(let value): Schedule(change(value))
    case .runs(let runs):
      Schedule(form: .runs(runs.map { Run(value: change($0.value), steps: $0.steps) }))
    case .keyframes(let frames):
      Schedule(
        form: .keyframes(frames.map { Keyframe(step: $0.step, value: change($0.value)) }))
    }
  }

  /// All values that it names.
  var values: [Double] {
    switch form {
    case .constant(let value): [value]
    case .runs(let runs): runs.map(\.value)
    case .keyframes(let frames): frames.map(\.value)
    }
  }
}

extension Schedule: CustomStringConvertible {
  /// The text form.
  public var description: String {
    switch form {
    case .constant(let value): shown(value)
    case .runs(let runs): runs.map { "\(shown($0.value))*\($0.steps)" }.joined(separator: ",")
    case .keyframes(let frames):
      frames.map { "\($0.step):\(shown($0.value))" }.joined(separator: ",")
    }
  }
}

extension Schedule: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// The same value at every step.
  public init(floatLiteral value: Double) { self.init(value) }
  /// The same value at every step.
  public init(integerLiteral value: Int) { self.init(Double(value)) }
}

extension Schedule {
  /// The JSON form: a number, or the text.
  var json: JSONValue { constant.map(JSONValue.number) ?? .string(description) }

  /// Reads the JSON form; nil when it is none.
  init?(json: JSONValue) {
    switch json {
    case .number(let value): self.init(value)
    case .integer(let value): self.init(Double(value))
    case .string(let text): self.init(text)
    default: return nil
    }
  }
}

extension Schedule: Codable {
  /// Reads the JSON form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let schedule = Schedule(json: try container.decode(JSONValue.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no value over steps")
    }
    self = schedule
  }

  /// Writes the JSON form.
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
