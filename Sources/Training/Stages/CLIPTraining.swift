import Foundation
import Imaging
import Models
import Painting
import Tokenizers
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
    public var schedule: TrainingSchedule
    /// Part of the pictures shown as the VQGAN gives them back from disturbed latents: what a climb
    /// through it looks like on the way. 0 needs no VQGAN.
    public var reconstructed: Double
    /// Largest deviation of that disturbance.
    public var disturbance: Double

    /// What is wrong with it; nil when nothing is.
    var problem: String? {
      (0...1).contains(reconstructed) ? nil : "'reconstructed' must be from 0 to 1"
    }
  }

  /// The networks.
  public let model: CLIP
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let tokenizer: CLIPTokenizer
  private let vqgan: VQGAN?
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: what to learn.
  ///   - heldOut: what to measure on.
  ///   - vqgan: what gives pictures back, where the configuration wants that.
  init(
    _ config: Config, file: SafeTensors? = nil, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, tokenizer: CLIPTokenizer, vqgan: VQGAN? = nil, device: Device
  ) throws {
    self.config = config
    self.heldOut = heldOut
    self.tokenizer = tokenizer
    self.vqgan = vqgan
    self.device = device
    let length = config.network.text.contextLength
    batches = PictureBatches(sets, device: device) { tokenizer.padded($0, length: length).ids }
    (model, parameters) = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: file
    ) {
      CLIP($0, config.network)
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)", on: device)
    let pictures = embed(pictures: Augmentation.views(givenBack(batch.pictures, stream), stream))
    let captions = embed(tokens: batch.tokens)
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

  /// The pictures, the first of them as the VQGAN gives them back.
  private func givenBack(_ x: Tensor, _ stream: RandomStream) -> Tensor {
    let count = Int(Double(x.size(0)) * config.reconstructed)
    guard let vqgan, count > 0 else { return x }
    return noGrad {
      let z = vqgan.encode(x[0..<count])
      let amounts = stream.uniform([count, 1, 1, 1]) * config.disturbance
      let disturbed = z + stream.normal(z.shape) * amounts
      return concatenated(
        [vqgan.decode(vqgan.quantize(disturbed).quantized), x[count..<x.size(0)]], over: 0)
    }
  }

  /// Pictures in -1…1 to embeddings of length one, `[B, E]`.
  private func embed(pictures x: Tensor) -> Tensor {
    let side = config.network.vision.imageSize
    let seen = x.size(2) == side ? x : x.resampled(side, side, antialias: true)
    return model.embed((seen + 1) / 2).to(.float32).normalized()
  }

  private func embed(captions: [String]) -> Tensor {
    embed(tokens: tokenizer(captions, length: config.network.text.contextLength).to(device))
  }

  private func embed(tokens: Tensor) -> Tensor {
    model.encodeText(tokens).to(.float32).normalized()
  }

  /// Recall among held-out pairs of object and ground.
  public func examine(step: Int) -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    let recall = Self.recall(
      count: 400, sets: [heldOut], { embed(pictures: $0.to(device)) }, embed(captions:))
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
        if seen.insert(what(label)).inserted { indices.append(index) }
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

  /// What an example shows, without the words and chances that do not show.
  private static func what(_ label: ExampleLabel) -> String {
    guard label.kind != .file else { return label.caption }
    let parts: [Int?] = [label.colorID, label.sceneID, label.styleID, label.count]
    return "\(label.conceptIDs) \(parts) \(label.relation.map { "\($0)" } ?? "")"
      + (label.scale.map { "\($0)" } ?? "")
  }
}

extension PackTraining {
  func trainCLIP(_ configuration: URL, _ stage: Stage, file: SafeTensors?) throws {
    let config = try Configuration.read(CLIPTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    try check(tokenizer(), known: config.network.text.vocabSize)
    let run = try open(stage, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let trainee = try CLIPTrainee(
      config, file: file, sets: sets.train, heldOut: sets.heldOut, tokenizer: tokenizer(),
      vqgan: config.reconstructed > 0 ? vqgan() : nil, device: context.device)
    try finish(trainee, config.schedule, run, "clip.safetensors")
  }
}
