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
    /// Part of the captions with words that nothing in the picture answers to.
    var chatter: Double?
    /// Whether the text tower keeps the weights that it starts with, so that what was conditioned on it stays.
    var frozenText: Bool?
    /// Captions of the corpus that each picture must not be taken for, beside those of its batch; none if left
    /// out. Needs a frozen text tower.
    var negatives: Int?
    /// Changes that pictures must be known under, for a tower that will be climbed; none if left out.
    var attack: PictureAttack?

    /// What is wrong with it; nil when nothing is.
    var problem: String? {
      guard [reconstructed, chatter ?? 0].allSatisfy((0...1).contains) else {
        return "'reconstructed' and 'chatter' must be from 0 to 1"
      }
      guard (0...100_000).contains(negatives ?? 0) else {
        return "'negatives' must be from 0 to 100000"
      }
      guard (negatives ?? 0) == 0 || frozenText == true else {
        return "'negatives' are embedded once and need 'frozenText: true'"
      }
      return attack?.problem
    }
  }

  /// The networks.
  public let model: CLIP
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]
  /// Those that stay as they are.
  let others: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let tokenizer: CLIPTokenizer
  private let vqgan: VQGAN?
  private var bank: CaptionBank?
  private let device: Device
  private let group: ProcessGroup

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: what to learn.
  ///   - heldOut: what to measure on.
  ///   - vqgan: what gives pictures back, where the configuration wants that.
  ///   - group: the processes that share its batches.
  init(
    _ config: Config, file: SafeTensors? = nil, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, tokenizer: CLIPTokenizer, vqgan: VQGAN? = nil, device: Device,
    group: ProcessGroup = ProcessGroup()
  ) throws {
    self.config = config
    self.heldOut = heldOut
    self.tokenizer = tokenizer
    self.vqgan = vqgan
    self.device = device
    self.group = group
    let length = config.network.text.contextLength
    batches = PictureBatches(sets, device: device) { tokenizer.padded($0, length: length).ids }
    let built = try StartingPoint.build(seed: config.schedule.seed, device: device, file: file) {
      CLIP($0, config.network)
    }
    model = built.model
    let isFrozen = config.frozenText == true
    parameters = built.parameters.filter { !isFrozen || $0.key.hasPrefix("visual.") }
    others = built.parameters.filter { isFrozen && !$0.key.hasPrefix("visual.") }
    if let count = config.negatives, count > 0 {
      bank = noGrad { CaptionBank(sets, count: count, embed: embed(captions:)) }
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) throws -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)", on: device)
    let captions = try group.gathered(embed(tokens: group.own(batch.tokens)))
    let ruledOut = bank?.mask(of: batch.labels, on: device)
    let views = fitted(Augmentation.views(givenBack(batch.pictures, stream), stream))
    let (seen, changed) = attacked(views, step: step, stream) { pictures, own in
      let mask = ruledOut.map { $0[0..<own.size(0)] }
      return self.logits(pictures, captions.detached(), mask).crossEntropy(own)
    }
    let pictures = try group.gathered(embed(views: group.own(seen)))
    let own = Tensor.arange(0..<pictures.size(0), device: device)
    let logits = self.logits(pictures, captions, ruledOut)
    let toPictures = captions.matmul(pictures.transposed()) * model.logitScale
    let loss = (logits.crossEntropy(own) + toPictures.crossEntropy(own)) / 2
    let isRight = logits.argmax(over: 1).equals(own).to(.float32)
    var figures = [("top1", isRight[changed..<own.size(0)].mean()), ("scale", model.logitScale)]
    if changed > 0 { figures.append(("attacked", isRight[0..<changed].mean())) }
    return (loss, figures)
  }

  /// Of pictures against the batch's captions and the bank's, `[B, C + N]`.
  /// - Parameters:
  ///   - pictures: `[B, E]`.
  ///   - captions: `[C, E]`.
  ///   - mask: added to what the bank says, `[B, N]`.
  private func logits(_ pictures: Tensor, _ captions: Tensor, _ mask: Tensor?) -> Tensor {
    let own = pictures.matmul(captions.transposed())
    guard let bank, let mask else { return own * model.logitScale }
    let others = pictures.matmul(bank.embeddings.transposed()) + mask
    return concatenated([own, others], over: 1) * model.logitScale
  }

  /// The views, the first of them changed so that they are taken for others' captions, and how many of them.
  /// - Parameter loss: of embeddings `[B, E]` and the numbers of their captions, a scalar.
  private func attacked(
    _ views: Tensor, step: Int, _ stream: RandomStream, loss: (Tensor, Tensor) -> Tensor
  ) -> (Tensor, changed: Int) {
    let count = Int(Double(views.size(0)) * (config.attack?.part ?? 0))
    guard let attack = config.attack, count > 0 else { return (views, 0) }
    let own = Tensor.arange(0..<count, device: device)
    let changed = attack.changed(
      views[0..<count], radius: attack.radius(at: step), stream
    ) { loss(self.embed(views: $0), own) }
    return (concatenated([changed, views[count..<views.size(0)]], over: 0), count)
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

  /// Pictures in -1…1 to the tower's size, in 0…1 and a little beyond.
  private func fitted(_ x: Tensor) -> Tensor { model.fitted(x) }

  /// Pictures of the tower's size in 0…1 to embeddings of length one, `[B, E]`.
  private func embed(views: Tensor) -> Tensor { model.embed(views).to(.float32).normalized() }

  /// Pictures in -1…1 to embeddings of length one, `[B, E]`.
  private func embed(pictures x: Tensor) -> Tensor { embed(views: fitted(x)) }

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
  static func what(_ label: ExampleLabel) -> String {
    guard label.kind != .file else { return label.caption }
    let parts: [Int?] = [label.colorID, label.sceneID, label.styleID, label.count]
    return "\(label.conceptIDs) \(parts) \(label.relation.map { "\($0)" } ?? "")"
      + (label.scale.map { "\($0)" } ?? "")
  }
}

extension CLIP {
  /// Pictures in -1…1 to the tower's size, in 0…1 and a little beyond.
  fileprivate func fitted(_ x: Tensor) -> Tensor {
    let side = config.vision.imageSize
    return ((x.size(2) == side ? x : x.resampled(side, side, antialias: true)) + 1) / 2
  }

  /// Whole pictures in -1…1 of any size to embeddings of length one, `[B, E]`.
  func embed(shown x: Tensor) -> Tensor { embed(fitted(x)).to(.float32).normalized() }
}

extension PackTraining {
  func trainCLIP(_ configuration: URL, _ stage: Stage, file: SafeTensors?) throws {
    let config = try Configuration.read(CLIPTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    try check(tokenizer(), known: config.network.text.vocabSize)
    let run = try open(stage, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let train = try mixed(sets.train) { $0.chatterFraction = config.chatter ?? 0 }
    let trainee = try CLIPTrainee(
      config, file: file, sets: train, heldOut: sets.heldOut, tokenizer: tokenizer(),
      vqgan: config.reconstructed > 0 ? vqgan() : nil, device: context.device,
      group: context.group)
    try finish(trainee, config.schedule, run, "clip.safetensors", besides: trainee.others)
  }
}
