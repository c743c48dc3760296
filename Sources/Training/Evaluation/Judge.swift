import Foundation
import Imaging
import Models
import Torch
import Weights

/// A trained classifier that says whether pictures show what they should: which object, on which
/// ground, in which style.
public final class Judge {
  /// What a judge can tell apart: objects, then grounds (colours before scenes), then styles, of which
  /// the first is none, then colours that things were given, then hands.
  public struct Classes: Codable, Sendable, Hashable {
    /// Objects of the catalogue.
    public var concepts: Int
    /// Named colours and scenes together.
    public var grounds: Int
    /// Styles, and one more for none.
    public var styles: Int
    /// Named colours; nil for judges that were not taught things' own.
    public var tints: Int?
    /// Hands; nil for judges that were not taught any.
    public var hands: Int?

    /// Those of the corpus with a catalogue.
    init(_ catalogue: EmojiCatalogue) {
      concepts = catalogue.concepts.count
      grounds = NamedColor.all.count + Scene.all.count
      styles = 1 + Style.all.count
      tints = NamedColor.all.count
      hands = ArtSet.allCases.count
    }

    private var counts: [Int] { [concepts, grounds, styles, tints ?? 0, hands ?? 0] }

    var count: Int { counts.reduce(0, +) }

    /// Where each kind's logits stand.
    var ranges: [Range<Int>] {
      var start = 0
      return counts.map { count in
        defer { start += count }
        return start..<start + count
      }
    }

    /// The class of a ground; nil for none.
    static func ground(color: Int?, scene: Int?) -> Int? {
      scene.map { NamedColor.all.count + $0 } ?? color
    }
  }

  /// What `judge.json` says beside the weights.
  struct Description: Codable {
    var size: Int
    var widths: [Int]
    var classes: Classes
  }

  /// What a judge sees in a picture, likeliest first.
  public struct Opinion: Sendable {
    /// Objects, by their numbers in the catalogue.
    public let concepts: [Int]
    /// Grounds: numbers of `NamedColor.all`, then those of `Scene.all` behind them.
    public let grounds: [Int]
    /// Styles: 0 for none, then those of `Style.all`.
    public let styles: [Int]
    /// Colours of the thing, numbers of `NamedColor.all`; empty when the judge knows none.
    public let tints: [Int]
    /// Hands, numbers of `ArtSet`; empty when the judge knows none.
    public let hands: [Int]
  }

  private let model: ConceptClassifier
  private let description: Description

  /// Reads a judge.
  /// - Parameter folder: holds `judge.safetensors` and its sizes in `judge.json`.
  public init(folder: URL) throws {
    let sizes = folder.appending(path: "judge.json")
    guard FileManager.default.fileExists(atPath: sizes.path) else {
      throw TrainingError.missing(
        "\(folder.path) holds no judge. Make one with: reverie train judge, or leave --judge out.")
    }
    let description = try JSONDecoder().decode(Description.self, from: RegularFile.data(at: sizes))
    self.description = description
    model = try Checkpoint(contentsOf: folder.appending(path: "judge.safetensors")).build {
      ConceptClassifier($0, .init(classes: description.classes.count, widths: description.widths))
    }
  }

  /// What it sees in a picture, or in a part of it.
  public func callAsFunction(
    _ picture: Picture, in slot: Slot = .whole, best count: Int = 5
  ) -> Opinion {
    noGrad {
      let seen = JudgeTrainee.windows(
        resized(picture.tensor() * 2 - 1, to: slot), [slot], side: description.size)
      let logits = model(seen)
      let best = description.classes.ranges.map { range -> [Int] in
        guard !range.isEmpty else { return [] }
        return logits.narrowed(1, range.lowerBound, range.count).topK(min(count, range.count))
          .indices
          .ints()
      }
      return Opinion(
        concepts: best[0], grounds: best[1], styles: best[2], tints: best[3], hands: best[4])
    }
  }

  /// A picture at the size at which the slot is as large as what the judge looks at, so that reading it
  /// skips no pixels.
  private func resized(_ x: Tensor, to slot: Slot) -> Tensor {
    let side = Int((Double(description.size) / max(slot.width, slot.height)).rounded())
    guard x.size(2) > side || x.size(3) > side else { return x }
    return x.resampled(side, side, antialias: true)
  }

  /// How often its first guess at the object is right on renders: the bound of every figure it gives.
  public func accuracy(on set: any CaptionedDataset, count: Int) -> Proportion {
    noGrad {
      let batch = PictureBatches.tensor(set, Array(0..<count))
      let side = description.size
      let x = batch.pictures
      let seen = x.size(2) == side ? x : x.resampled(side, side, antialias: true)
      let best = model(seen).narrowed(1, 0, description.classes.concepts).argmax(over: 1).ints()
      return Proportion(
        zip(best, batch.labels).filter { $0 == $1.conceptIDs.first }.count, of: count)
    }
  }
}
