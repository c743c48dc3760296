import Foundation
import Imaging
import Models
import Torch
import Weights

/// Trains CLIP contrastively (Radford et al. 2021): each picture of a batch must find its caption
/// among all, and each caption its picture.
public final class CLIPTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The networks.
    public var network: CLIP.Config
    /// Length and rates.
    public var schedule: Schedule
  }

  /// The networks.
  public let model: CLIP
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let tokenizer: BPETokenizer
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: what to learn.
  ///   - heldOut: what to measure on.
  init(
    _ config: Config, file: SafeTensors? = nil, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, tokenizer: BPETokenizer, device: Device
  ) throws {
    self.config = config
    self.heldOut = heldOut
    self.tokenizer = tokenizer
    self.device = device
    batches = PictureBatches(sets, device: device)
    (model, parameters) = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: file
    ) {
      CLIP($0, config.network)
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)")
    let seen = Augmentation()(batch.pictures, stream)
    let pictures = embed(pictures: seen)
    let captions = embed(captions: batch.labels.map(\.caption))
    let logits = pictures.matmul(captions.transposed()) * model.logitScale  // [B, B]
    let own = Tensor.arange(0..<logits.size(0), device: device)
    let loss = (logits.crossEntropy(own) + logits.transposed().crossEntropy(own)) / 2
    let right = logits.argmax(over: 1).equals(own).to(.float32).mean()
    return (loss, [("top1", right), ("scale", model.logitScale)])
  }

  /// Keeps the logits' scale at most 100, as the paper does.
  public func afterStep() {
    model.logit_scale.assign(model.logit_scale.clamped(0, log(100)))
  }

  /// Pictures in -1…1 to embeddings of length one, `[B, E]`.
  private func embed(pictures x: Tensor) -> Tensor {
    model.embed((x + 1) / 2).to(.float32).normalized()
  }

  private func embed(captions: [String]) -> Tensor {
    let tokens = tokenizer(captions, length: config.network.text.contextLength).to(device)
    return model.encodeText(tokens).to(.float32).normalized()
  }

  /// Recall among held-out pairs of object and ground.
  public func examine(step: Int) -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    let recall = Self.recall(count: 400, sets: [heldOut], embed(pictures:), embed(captions:))
    return ([("recall1", recall.value)], nil)
  }

  /// Image-to-text recall@1: the part of pictures whose nearest caption among all is their own.
  ///
  /// Every picture shows something else, lest two captions be right for one.
  /// - Parameter sets: where the pairs come from, each until it has nothing new.
  static func recall(
    count: Int, sets: [any CaptionedDataset], _ embedPictures: (Tensor) -> Tensor,
    _ embedCaptions: ([String]) -> Tensor
  ) -> Proportion {
    var seen: Set<String> = []
    var pictures: [Tensor] = []
    var captions: [Tensor] = []
    for set in sets {
      var indices: [Int] = []
      for index in 0..<(set.count ?? 20 * count) where seen.count < count {
        let label = set.label(index)
        let shown = label.colorID.map { "\(label.conceptIDs) on \($0)" } ?? label.caption
        if seen.insert(shown).inserted { indices.append(index) }
      }
      for start in stride(from: 0, to: indices.count, by: 100) {
        let part = Array(indices[start..<min(start + 100, indices.count)])
        let batch = PictureBatches.tensor(set, part)
        pictures.append(embedPictures(batch.pictures))
        captions.append(embedCaptions(batch.labels.map(\.caption)))
      }
    }
    let scores = concatenated(pictures, over: 0)
      .matmul(concatenated(captions, over: 0).transposed())
    let best = scores.argmax(over: 1).ints()
    return Proportion(best.indices.filter { best[$0] == $0 }.count, of: best.count)
  }
}
