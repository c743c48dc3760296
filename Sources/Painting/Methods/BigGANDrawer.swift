import Models
import Torch

/// Draws with the generator of BigGAN-deep: every block has a latent and weights of the classes of its
/// own, and these are the parameters (Big Sleep, Murdock & Wang 2021).
struct BigGANDrawer: Drawer {
  /// `[L, Z]`
  let latents: Tensor
  /// Logits of the classes, `[L, K]`.
  let logits: Tensor
  private let model: BigGAN
  private let width: Int
  private let height: Int
  private let choice: Choice

  /// What the latents make of the classes, and the statistics that go with them.
  struct Choice {
    /// Classes that take part in each block; nil lets all of them.
    var maxClasses: Int?
    /// How evenly they take part when they are chosen.
    var temperature = 2.0
    /// A class to begin with, alone, in all blocks; nil begins with all slightly present.
    var first: Int?
    /// Of the norms' statistics.
    var truncation = 1.0
  }

  /// Begins from noise, with all classes slightly present, or one of them alone.
  /// - Parameters:
  ///   - width: of the picture. Another one than the network's square is cut out of its middle.
  ///   - height: likewise.
  init(
    _ model: BigGAN, width: Int, height: Int, seed: UInt64, _ choice: Choice = .init(),
    device: Device
  ) {
    self.model = model
    (self.width, self.height, self.choice) = (width, height, choice)
    let (rows, config) = (model.config.conditionCount, model.config)
    let noise = RandomStream(seed: seed, "latents").normal([rows, config.z_dim])
    let spread = RandomStream(seed: seed, "classes").normal([rows, config.num_classes])
    latents = noise.to(device).variable()
    guard let first = choice.first else {
      logits = (spread * 0.3 - 3.9).to(device).variable()
      return
    }
    // Nearly one for the first and nearly nothing for the others, yet with gradients for all of them.
    let lead = choice.maxClasses == nil ? 12 : 10 * choice.temperature
    let entries = Tensor.arange(0..<config.num_classes).equals(Double(first)).to(.float32)
    logits = (spread * 0.3 - 8 + entries * lead).to(device).variable()
  }

  /// What a perceptor makes of the picture of each class, of a latent of zeros.
  /// - Parameters:
  ///   - report: told after each few classes how many are done.
  ///   - embed: pictures `[B, 3, S, S]` in 0…1 to `[B, E]`.
  /// - Returns: `[K, E]`
  static func classEmbeddings(
    of model: BigGAN, device: Device, report: (Event.Progress) -> Void, _ embed: (Tensor) -> Tensor
  ) -> Tensor {
    let count = model.config.num_classes
    return noGrad {
      let all = Tensor.arange(0..<count, device: device)
      // As many at once as take the memory of 32 pictures of 128 pixels.
      let area = model.config.size * model.config.size
      let batch = min(32, max(1, 32 * 128 * 128 / area))
      let parts = stride(from: 0, to: count, by: batch).map { start in
        let some = all[start..<min(start + batch, count)]
        let hot = some.unsqueezed(1).equals(all.unsqueezed(0)).to(.float32)  // [B, K]
        let latents = Tensor.zeros([some.count, model.config.z_dim], device: device)
        let embeddings = embed((model(latents, hot, truncation: 1) + 1) / 2)
        report(.init(step: start + some.count, total: count, unit: "class"))
        return embeddings
      }
      return concatenated(parts, over: 0)
    }
  }

  /// The class whose picture pleases all perceptors together most.
  /// - Parameter opinions: cosines of each perceptor to the classes' pictures, `[K]`, and its weight.
  static func bestClass(_ opinions: [(cosines: Tensor, weight: Double)]) -> Int {
    let fits = opinions.map { $0.cosines * $0.weight }
    return fits.dropFirst().reduce(fits[0], +).argmax(over: 0).ints()[0]
  }

  var parameters: [Tensor] { [latents, logits] }

  var latent: Tensor? { latents }

  /// That the latents stay as if drawn at random, and that few classes take part. The original weighs
  /// these terms against a hundred cosines.
  var objectives: [any Objective] {
    [BigSleepObjective(classes: classWeights, weight: 0.01)]
  }

  func render(_ iteration: Int?) -> Tensor {
    let conditions = model.condition(latents, classWeights())  // [L, 2 Z]
    let rows = (0..<conditions.size(0)).map { conditions[$0..<($0 + 1)] }
    return ((model(rows, truncation: choice.truncation) + 1) / 2).middle(
      width: width, height: height)
  }

  /// How much of each class each block shows, `[L, K]`.
  func classWeights() -> Tensor {
    guard let count = choice.maxClasses else { return logits.sigmoid() }
    return differentiableTopK(logits, count, temperature: choice.temperature)
  }
}

extension Tensor {
  /// The middle of a square picture `[B, C, S, S]` in other proportions, at the size that is wanted.
  func middle(width: Int, height: Int) -> Tensor {
    let side = size(2)
    guard width != side || height != side else { return self }
    let longest = max(width, height)
    let rows = max(1, side * height / longest)
    let columns = max(1, side * width / longest)
    return narrowed(2, (side - rows) / 2, rows).narrowed(3, (side - columns) / 2, columns)
      .resampled(height, width, .bilinear, antialias: true)
  }
}

/// The probabilities of the `count` likeliest entries of each row, each measured among what was left
/// when it was chosen; zero elsewhere.
/// - Parameter logits: `[L, K]`
/// - Returns: `[L, K]`, with history to all logits.
func differentiableTopK(_ logits: Tensor, _ count: Int, temperature: Double) -> Tensor {
  let entries = Tensor.arange(0..<logits.size(1), device: logits.device).unsqueezed(0)
  var left = logits
  var sum = Tensor.zeros(logits.shape, device: logits.device)
  for _ in 0..<min(count, logits.size(1)) {
    let probabilities = (left / temperature).softmax(over: 1)
    let chosen = entries.equals(probabilities.argmax(over: 1, keepDims: true))
    sum = sum + probabilities * chosen.to(.float32)
    left = left.filled(where: chosen, with: -.infinity)
  }
  return sum
}

extension Method {
  /// BigGAN under CLIP's guidance.
  static let bigSleep = guided(
    "big-sleep", title: "Big Sleep",
    "Draws with BigGAN-deep, which knows the thousand classes of ImageNet",
    by: [.init("generator", BigGAN.architecture.id, title: "BigGAN")],
    arguments: [
      .choice(
        "firstClass", ["none", "best"], default: "none",
        "Whether to begin with the one class whose picture fits the first prompt of words best"),
      .integer(
        "maxClasses", 0...1000,
        "Classes that take part in each block; all of them, as in Big Sleep, at 0 or if left out"),
      .number(
        "classTemperature", 0.01...100, default: 2,
        "How evenly they take part when maxClasses is given"),
      .number(
        "truncation", 0.02...1, default: 1, "The truncation whose statistics the norms take"),
    ],
    defaults: [
      "width": .integer(512), "height": .integer(512), "learningRate": .number(0.07),
      "ema": .number(0.5), "cutouts": .integer(128),
      "cutMode": .string("big-sleep"),
    ], limitsColors: true,
    ofNetwork: { network in
      guard let side = (network.config as? BigGAN.Config)?.size else { return [:] }
      return ["width": .integer(side), "height": .integer(side)]
    },
    size: { canvas in
      // What the pack's small network draws, in the proportions asked for; the rest is enlargement.
      guard canvas.installed == nil, let side = canvas.pack.config(of: BigGAN.self)?.size else {
        return canvas.limited()
      }
      let (width, height) = (canvas.asked.width, canvas.asked.height)
      func part(_ pixels: Int) -> Int {
        max(1, Int((Double(side * pixels) / Double(max(width, height))).rounded()))
      }
      return .init(width: part(width), height: part(height))
    }
  ) { context in
    let painting = try context.ofPainting()
    let (networks, request) = (painting.networks, painting.request)
    let model = try networks.network(
      BigGAN.self, in: painting.method.components[0], of: request.model)
    var choice = BigGANDrawer.Choice(
      maxClasses: context.integerIfGiven("maxClasses").flatMap { $0 == 0 ? nil : $0 },
      temperature: context.number("classTemperature"), truncation: context.number("truncation"))
    if context.choice("firstClass") == "best",
      let text = try request.scenes()[0].lazy.compactMap(\.text).first
    {
      // The classes' pictures are the same for every text: each perceptor looks at them only once.
      let name = try networks.fingerprint(BigGAN.architecture, of: request.model)
      let opinions = try networks.perceptors(request).map { perceptor in
        let classes = perceptor.remembered("classes", name) {
          BigGANDrawer.classEmbeddings(
            of: model, device: context.device, report: painting.preparing, perceptor.embeddings)
        }
        let cosines = perceptor.cosines(
          classes.to(context.device), perceptor.embedding(of: text))
        return (cosines, perceptor.weight)
      }
      choice.first = BigGANDrawer.bestClass(opinions)
    }
    return BigGANDrawer(
      model, width: context.width, height: context.height, seed: context.seed, choice,
      device: context.device)
  }
}
