import Foundation
import Imaging
import Painting
import Torch

/// How much the pictures of one prompt differ from seed to seed.
public struct Variety: Sendable {
  /// The prompt.
  public let prompt: EvaluationPrompt
  /// A picture for each seed.
  public let pictures: [Picture]
  /// The judge's first guess at the hand of each; empty when the judge knows none.
  public let hands: [ArtSet]
  /// Mean over all pairs of pictures of the root of the mean squared difference of their values in 0…1; 0 of
  /// fewer than two.
  public let distance: Double

  init(_ prompt: EvaluationPrompt, _ pictures: [Picture], judge: Judge) {
    self.prompt = prompt
    self.pictures = pictures
    hands = pictures.compactMap { picture in
      judge(picture, best: 1).hands.first.map { ArtSet.allCases[$0] }
    }
    let values = pictures.map { $0.tensor() }
    let distances = values.indices.flatMap { one in
      values[..<one].map { other in
        let difference = values[one] - other
        return (difference * difference).mean().sqrt().item()
      }
    }
    distance = distances.isEmpty ? 0 : distances.reduce(0, +) / Double(distances.count)
  }

  /// How many different hands the judge told.
  public var handCount: Int { Set(hands).count }
}

extension PackEvaluation {
  /// Paints each prompt once for each of so many seeds.
  /// - Parameter report: called after each prompt.
  public func variety(
    of prompts: [EvaluationPrompt], seeds: Int, with engine: Engine, judge: Judge,
    request: Request, seed: Int, report: (Variety) -> Void
  ) async throws -> [Variety] {
    var results: [Variety] = []
    for prompt in prompts {
      var pictures: [Picture] = []
      for number in 0..<seeds {
        var request = request
        (request.prompt, request.seed) = (prompt.text, seed + number)
        pictures.append(try await engine.picture(of: request))
      }
      results.append(Variety(prompt, pictures, judge: judge))
      report(results[results.count - 1])
    }
    return results
  }
}
