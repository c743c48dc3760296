import Foundation
import Imaging
import Models
import Torch
import Weights

/// A trained classifier of concepts that says whether pictures show what they should.
public final class Judge {
  private let model: ConceptClassifier
  private let size: Int

  /// Reads a judge.
  /// - Parameters:
  ///   - classes: concepts of the corpus it was trained on.
  ///   - size: side of the pictures it was trained on.
  public init(contentsOf url: URL, classes: Int, size: Int = 64) throws {
    let file = try Checkpoint(SafeTensors(contentsOf: url))
    self.size = size
    let widths = stride(from: 0, through: 4, by: 2).compactMap {
      file.shape("blocks.\($0).conv1.weight")?.first
    }
    guard widths.count == 3, widths.allSatisfy({ $0 > 0 && $0 % 8 == 0 }) else {
      throw TrainingError.missing(
        "\(url.path) holds no judge. Make one with: reverie train judge, or leave --judge out.")
    }
    model = try file.build { ConceptClassifier($0, .init(classes: classes, widths: widths)) }
  }

  /// The concepts of a picture, likeliest first, with their probabilities.
  public func callAsFunction(_ picture: Picture, best count: Int = 5) throws -> [(
    concept: Int, probability: Double
  )] {
    let seen =
      picture.width == size && picture.height == size
      ? picture : try picture.resized(width: size, height: size)
    return noGrad {
      let top = model(seen.tensor() * 2 - 1).softmax(over: 1).topK(count)
      return zip(top.indices.ints(), top.values.floats()).map { ($0, Double($1)) }
    }
  }

  /// How often its first guess is right on renders: the bound of every figure it gives.
  public func accuracy(on set: any CaptionedDataset, count: Int) -> Proportion {
    noGrad {
      let batch = PictureBatches.tensor(set, Array(0..<count))
      let best = model(batch.pictures).argmax(over: 1).ints()
      return Proportion(
        zip(best, batch.labels).filter { $0 == $1.conceptIDs.first }.count, of: count)
    }
  }
}

/// A part of a whole with its uncertainty.
public struct Proportion: Sendable, Equatable, CustomStringConvertible {
  /// How many held.
  public let hits: Int
  /// How many there were.
  public let count: Int

  /// `hits` of `count`.
  public init(_ hits: Int, of count: Int) {
    self.hits = hits
    self.count = count
  }

  /// The part, 0 to 1.
  public var value: Double { count == 0 ? 0 : Double(hits) / Double(count) }

  /// Wilson's 95 % score interval (1927).
  public var interval: ClosedRange<Double> {
    guard count > 0 else { return 0...1 }
    let (n, z) = (Double(count), 1.959964)
    let centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, centre - half)...min(1, centre + half)
  }

  /// Such as `74.0 % (68.1-79.2 %, 200 prompts)`.
  public var description: String {
    String(
      format: "%.1f %% (%.1f-%.1f %%, n = %d)", 100 * value, 100 * interval.lowerBound,
      100 * interval.upperBound, count)
  }
}
