import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// Trains a BigGAN-deep to draw each concept of the corpus on a ground whose colour the latent tells.
///
/// Not as a GAN: what a class and a latent should look like is known here, and a generator that is told
/// what to draw learns that in minutes where two networks that play against each other take days
/// (Dosovitskiy, Springenberg & Brox, "Learning to Generate Chairs with Convolutional Neural Networks",
/// 2015). The statistics of the norms stay at 0 and 1, for all truncations.
public final class BigGANTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The network; `num_classes` is filled in.
    public var network: BigGAN.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Weight of the error of the pictures' differences between neighbours, for crisp edges.
    public var edges: Double
  }

  /// The network.
  public let model: BigGAN
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let sprites: Sprites
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - corpus: of pictures as large as the network's.
  init(_ config: Config, file: SafeTensors?, corpus: Corpus, device: Device) throws {
    self.config = config
    self.device = device
    sprites = Sprites(corpus, width: config.network.z_dim, device: device)
    let built = try StartingPoint.build(seed: config.schedule.seed, device: device, file: file) {
      BigGAN($0, config.network)
    }
    model = built.model
    parameters = built.parameters.filter { key, _ in
      !key.contains(".running_") && !key.hasSuffix(".weight_u") && !key.hasSuffix(".weight_v")
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let stream = RandomStream(seed: config.schedule.seed, "classes and latents \(step)")
    let count = config.schedule.batch
    let classes = stream.integers(below: sprites.count, [count])
    let latents = stream.normal([count, config.network.z_dim])
    let (x, y) = (sprites(classes, latents), draw(classes, latents))
    let error = (y - x).abs().mean()
    let edges = ImageQuality.differences(y - x)
    return (error + edges * config.edges, [("l1", error), ("edges", edges)])
  }

  /// - Parameters:
  ///   - classes: `[B]` int64.
  ///   - latents: `[B, Z]`
  /// - Returns: `[B, 3, S, S]` in -1…1
  private func draw(_ classes: Tensor, _ latents: Tensor) -> Tensor {
    let all = Tensor.arange(0..<config.network.num_classes, device: device).unsqueezed(0)
    let hot = classes.to(device).unsqueezed(1).equals(all).to(.float32)  // [B, K]
    return model(latents.to(device), hot, truncation: 1)
  }

  /// The error over fixed classes and latents, and a sheet of some of them below what they should be.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    let stream = RandomStream(seed: config.schedule.seed, "examples")
    let classes = stream.permutation(sprites.count)[0..<min(36, sprites.count)]
    let latents = stream.normal([classes.size(0), config.network.z_dim])
    let (x, y) = ((sprites(classes, latents) + 1) / 2, (draw(classes, latents) + 1) / 2)
    let figures = [("psnr", ImageQuality.psnr(x, y)), ("ssim", ImageQuality.ssim(x, y))]
    return (figures, try Sheet.pairs(x, y))
  }

  /// Trained weights with all that a file of a BigGAN has beside them: statistics of 0 and 1, and
  /// vectors by which a weight's spectral norm comes out as 1, since weights here are what they are.
  func complete(_ weights: [(key: String, tensor: Tensor)]) -> [String: Tensor] {
    var all = Dictionary(uniqueKeysWithValues: weights.map { ($0.key, $0.tensor) })
    let source = Initializer(seed: 0)
    _ = BigGAN(Parameters(source), config.network)
    for (key, tensor) in source.parameters where all[key] == nil && key.contains(".running_") {
      all[key] = tensor.detached()
    }
    let mark = "weight_orig"
    for (key, weight) in weights where key.hasSuffix(mark) {
      let rows = weight.detached().to(.cpu).reshaped(weight.size(0), -1)
      let u = Tensor.ones([1, rows.size(0)]) / Double(rows.size(0)).squareRoot()
      let v = u.matmul(rows)
      all[key.dropLast(mark.count) + "weight_u"] = u.squeezed(0)
      all[key.dropLast(mark.count) + "weight_v"] = (v / v.square().sum()).squeezed(0)
    }
    return all
  }
}

/// Every concept of a corpus, cut out of its ground.
private struct Sprites {
  /// Premultiplied colours in 0…1, `[K, 3, S, S]`, and how much of the ground shows, `[K, 1, S, S]`.
  private let colors: Tensor
  private let clear: Tensor
  /// Directions of the latent that tell red, green and blue, `[Z, 3]`.
  private let directions: Tensor
  private let device: Device

  var count: Int { colors.size(0) }

  /// - Parameter width: numbers in a latent.
  init(_ corpus: Corpus, width: Int, device: Device) {
    self.device = device
    let (white, black) = (NamedColor.all[NamedColor.whiteID], NamedColor.all[1])
    func pictures(on ground: NamedColor) -> Tensor {
      let concepts = corpus.catalogue.concepts.indices
      let bytes = corpus.pixels(showing: concepts.map { (concepts: [$0], color: ground.id) })
      let shape = [concepts.count, 3, corpus.size, corpus.size]
      return (PictureBatches.tensor(bytes, shape) + 1) / 2
    }
    // What differs between two grounds is what shows of them (Smith & Blinn, "Blue Screen Matting", 1996).
    let onWhite = pictures(on: white)
    let contrast = 1 - Double(black.color.red) / 255
    clear = ((onWhite - pictures(on: black)).narrowed(1, 0, 1) / contrast).clamped(0, 1)
    colors = onWhite - clear
    directions = RandomStream(seed: 0, "colours of latents").normal([width, 3]).normalized(over: 0)
  }

  /// What classes `[B]` and latents `[B, Z]` should look like, `[B, 3, S, S]` in -1…1.
  func callAsFunction(_ classes: Tensor, _ latents: Tensor) -> Tensor {
    // The logistic function of 1.702 x is that of the normal distribution, nearly: all colours alike.
    let ground = (latents.matmul(directions) * 1.702).sigmoid().reshaped(-1, 3, 1, 1)
    let picture = colors.indexSelect(0, classes) + clear.indexSelect(0, classes) * ground
    return (picture * 2 - 1).to(device)
  }
}

extension PackTraining {
  func trainBigGAN(_ configuration: URL) throws {
    let config = try Configuration.read(BigGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.network.problem)
    let data = context.data.resized(config.network.size)
    let sets = try sets(of: data, seed: config.schedule.seed, jitter: false)
    guard let corpus = sets.train[0] as? Corpus else {
      throw TrainingError.missing(
        "A BigGAN needs the emoji corpus: a folder of images has no concepts.")
    }
    guard config.network.num_classes == corpus.catalogue.concepts.count else {
      throw TrainingError.configuration(
        "The corpus has \(corpus.catalogue.concepts.count) concepts; give 'num_classes' so.")
    }
    let run = try open(.biggan, config, configuration, data: data)
    let trainee = try BigGANTrainee(
      config, file: start("biggan.safetensors"), corpus: corpus, device: context.device)
    let trainer = try train(trainee, config.schedule, run)
    try SafeTensors.write(
      trainee.complete(trainer.weights), to: run.folder.appending(path: "biggan.safetensors"))
  }
}
