import Foundation
import Yams

/// How long, how fast and how often: what every training has in common.
///
/// The learning rate rises linearly over `warmup` steps, stays, and falls linearly to zero over the
/// last `cooldown` steps, so that a training can be made longer later by raising `steps` alone.
public struct Schedule: Codable, Sendable, Hashable {
  /// Of all chance in the training.
  public var seed: UInt64 = 0
  /// Optimiser steps in all.
  public var steps: Int
  /// Examples in a step.
  public var batch: Int
  /// Highest learning rate.
  public var rate: Double
  /// Steps until the highest learning rate.
  public var warmup: Int = 100
  /// Steps in which the rate falls to zero at the end.
  public var cooldown: Int
  /// Decoupled weight decay.
  public var decay: Double = 0
  /// Decay rate of Adam's second moment.
  public var beta2: Double = 0.99
  /// Largest norm of all gradients together.
  public var clip: Double = 1
  /// Decay of the averaged weights, which are the ones that ship.
  public var averaging: Double = 0.999
  /// Steps between checkpoints.
  public var saveEvery: Int = 250
  /// Steps between sample sheets.
  public var sampleEvery: Int = 500

  /// The learning rate of a step.
  public func rate(at step: Int) -> Double {
    let rise = min(1, Double(step + 1) / Double(max(1, warmup)))
    return rate * min(rise, remainder(at: step))
  }

  /// 1 until the cooldown begins, then falling linearly to 0 at the end.
  public func remainder(at step: Int) -> Double {
    min(1, Double(steps - step) / Double(max(1, cooldown)))
  }

  /// The averaging decay of a step: lower at first, so that the start is soon forgotten.
  public func averaging(at step: Int) -> Double {
    min(averaging, (1 + Double(step)) / (10 + Double(step)))
  }
}

/// Reading training configurations: flat YAML files, best with a reason on every line.
public enum Configuration {
  /// Reads a configuration; a key that `Value` does not have is an error that names the nearest one.
  /// - Throws: `TrainingError.configuration`.
  public static func read<Value: Codable>(_ type: Value.Type, from url: URL) throws -> Value {
    let text: String
    do {
      text = try String(contentsOf: url, encoding: .utf8)
    } catch {
      throw TrainingError.configuration(
        "cannot read the configuration \(url.path): \(error.localizedDescription)")
    }
    do {
      let value = try YAMLDecoder().decode(Value.self, from: text)
      let known = try keys(YAMLEncoder().encode(value))
      for key in try keys(text).subtracting(known).sorted() {
        let nearest = known.min { distance($0, key) < distance($1, key) } ?? ""
        throw TrainingError.configuration(
          "\(url.lastPathComponent): unknown key '\(key)'. Did you mean '\(nearest)'?")
      }
      return value
    } catch let error as TrainingError {
      throw error
    } catch let DecodingError.keyNotFound(key, _) {
      throw TrainingError.configuration("\(url.lastPathComponent): '\(key.stringValue)' is missing")
    } catch let DecodingError.typeMismatch(_, context) {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw TrainingError.configuration(
        "\(url.lastPathComponent): '\(path)' is of the wrong type: \(context.debugDescription)")
    } catch {
      throw TrainingError.configuration("\(url.lastPathComponent): \(error)")
    }
  }

  /// All keys of a YAML text as dotted paths.
  private static func keys(_ text: String) throws -> Set<String> {
    func walk(_ node: Node, _ path: String) -> Set<String> {
      guard case .mapping(let mapping) = node else { return [] }
      return mapping.reduce(into: []) { found, pair in
        let key = (path.isEmpty ? "" : path + ".") + (pair.key.string ?? "?")
        found.insert(key)
        found.formUnion(walk(pair.value, key))
      }
    }
    return try Yams.compose(yaml: text).map { walk($0, "") } ?? []
  }

  /// Levenshtein's distance.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j + 1] + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}

/// What can go wrong in a training through no fault of the program.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A configuration that cannot be used.
  case configuration(String)
  /// A run folder whose contents do not belong to this training.
  case run(String)
  /// Something another stage should have made.
  case missing(String)
  /// The loss was not a number for too many steps in a row.
  case diverged(step: Int)

  /// What failed, on what, and what to do.
  public var description: String {
    switch self {
    case .configuration(let text), .run(let text), .missing(let text): text
    case .diverged(let step):
      "The loss is not a number since step \(step). Lower 'rate' and start from the last checkpoint."
    }
  }
}
