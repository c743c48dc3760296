import Torch

/// Examples of one or more data sets as tensors; with several, they take turns within a batch.
///
/// Which examples a step sees follows from the step alone, so that a training can be taken up again.
struct PictureBatches {
  private let sets: [any CaptionedDataset]
  private let device: Device

  init(_ sets: [any CaptionedDataset], device: Device) {
    self.sets = sets
    self.device = device
  }

  /// The side of every picture in pixels.
  var size: Int { sets[0].size }

  /// The examples of a step: pictures `[B, 3, size, size]` in -1…1, and their labels.
  func callAsFunction(step: Int, count: Int) -> (pictures: Tensor, labels: [ExampleLabel]) {
    let share = count / sets.count
    var pictures: [Tensor] = []
    var labels: [ExampleLabel] = []
    for (i, set) in sets.enumerated() {
      let size = i == 0 ? count - share * (sets.count - 1) : share
      let part = Self.tensor(set, Array(step * count..<step * count + size))
      pictures.append(part.pictures)
      labels += part.labels
    }
    return (concatenated(pictures, over: 0).to(device), labels)
  }

  /// The examples at these indices: pictures `[B, 3, size, size]` in -1…1, and their labels.
  static func tensor(
    _ set: any CaptionedDataset, _ indices: [Int]
  ) -> (pictures: Tensor, labels: [ExampleLabel]) {
    let batch = set.batch(indices, layout: .channelsFirst)
    return (tensor(batch.pixels, [batch.labels.count, 3, set.size, set.size]), batch.labels)
  }

  /// Bytes in N, C, H, W order as `[B, 3, H, W]` in -1…1.
  static func tensor(_ bytes: [UInt8], _ shape: [Int]) -> Tensor {
    bytes.withUnsafeBytes { bytes in
      do {
        return try Tensor(copying: bytes, shape, .uint8).to(.float32) * (2 / 255) - 1
      } catch {
        preconditionFailure("\(error)")
      }
    }
  }

  /// How many of a step's examples come from the first set; theirs are the step's first.
  func share(of count: Int) -> Int { count - count / sets.count * (sets.count - 1) }
}
