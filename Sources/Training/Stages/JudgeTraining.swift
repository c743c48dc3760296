import Imaging
import Models
import Torch

/// Trains the judge: a classifier of concepts on strongly augmented renders, with a seed of its own.
public final class JudgeTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// Channels of the network's stages.
    public var widths: [Int]
    /// Length and rates.
    public var schedule: Schedule
    /// Part of the target spread over all concepts.
    public var smoothing: Double
  }

  /// The network.
  public let model: ConceptClassifier
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let device: Device

  init(
    _ config: Config, sets: [any CaptionedDataset], heldOut: any CaptionedDataset, classes: Int,
    device: Device
  ) throws {
    self.config = config
    self.heldOut = heldOut
    self.device = device
    batches = PictureBatches(sets, device: device)
    (model, parameters) = try StartingPoint.build(seed: config.schedule.seed, device: device) {
      ConceptClassifier($0, .init(classes: classes, widths: config.widths))
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)")
    let logits = model(Augmentation()(batch.pictures, stream))
    let targets = Tensor(batch.labels.map { $0.conceptIDs.first ?? 0 }, [batch.labels.count])
      .to(device)
    let right = logits.argmax(over: 1).equals(targets).to(.float32).mean()
    return (logits.crossEntropy(targets, smoothing: config.smoothing), [("top1", right)])
  }

  /// Accuracy on held-out renders, which bounds every figure the judge gives.
  public func examine(step: Int) -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    let batch = PictureBatches.tensor(heldOut, Array(0..<1000))
    let targets = batch.labels.map { $0.conceptIDs.first ?? 0 }
    let best = model(batch.pictures.to(device)).topK(5).indices.ints()
    let first = targets.indices.filter { best[5 * $0] == targets[$0] }.count
    let five = targets.indices.filter { best[5 * $0..<5 * $0 + 5].contains(targets[$0]) }.count
    let count = Double(targets.count)
    return ([("heldOutTop1", Double(first) / count), ("heldOutTop5", Double(five) / count)], nil)
  }
}
