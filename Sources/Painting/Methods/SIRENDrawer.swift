import Models
import Torch

/// Draws with a network of sines from position to colour, whose weights are the parameters (Deep Daze,
/// Murdock & Wang 2021).
struct SIRENDrawer: Drawer {
  let parameters: [Tensor]
  private let network: SIREN
  private let positions: Tensor  // [H W, 2]
  private let width: Int
  private let height: Int
  private let priming: Priming

  /// How the network learns a picture to begin from.
  struct Priming {
    var iterations = 50
    var learningRate = 3e-4
  }

  /// Begins from weights at random.
  init(
    _ config: SIREN.Config = .init(), width: Int, height: Int, seed: UInt64,
    _ priming: Priming = .init(), device: Device
  ) {
    let source = Initializer(seed: seed, device: device)
    network = SIREN(Parameters(source), config)
    parameters = source.parameters.map(\.tensor)
    positions = SIREN.positions(height: height, width: width, device: device)
    (self.width, self.height, self.priming) = (width, height, priming)
  }

  func render(_ iteration: Int?) -> Tensor { ((drawn() + 1) / 2).clamped(0, 1) }

  /// Fits the network to the picture by its mean square error. Deep Daze compares with values of 0…1
  /// here and draws them as -1…1; both are -1…1 here.
  func begin(from picture: Tensor) -> Bool {
    let wanted = picture * 2 - 1
    let optimizer = DiffGrad(parameters)
    for _ in 0..<priming.iterations {
      let loss = (drawn() - wanted).square().mean()
      optimizer.step(gradient(of: loss, at: parameters), rate: priming.learningRate)
    }
    return true
  }

  /// `[1, 3, H, W]`, about -1…1.
  private func drawn() -> Tensor {
    network(positions).reshaped(1, height, width, 3).permuted(0, 3, 1, 2)
  }
}

extension Method {
  /// A network of sines under CLIP's guidance.
  static let deepDaze = guided(
    "deep-daze", title: "Deep Daze",
    "Draws with a network of sines from position to colour; it needs no weights",
    arguments: [
      .integer("layers", 1...64, default: 6, "Layers of the network"),
      .integer("hidden", 8...1024, default: 128, "Width of each layer"),
      .number("thetaInitial", 0.1...1000, default: 10, "Frequency of the first layer"),
      .number("thetaHidden", 0.1...1000, default: 30, "Frequency of the other layers"),
      .integer(
        "primingIterations", 0...100_000, default: 50,
        "Steps in which it learns the picture to begin from"),
      .number(
        "startImageLearningRate", 0.000001...1, default: 3e-4, "Length of each of these steps"),
    ],
    // Deep Daze has 16 layers of 256 with a frequency of 30, and takes 21,000 steps of a thirtieth of
    // this length, at 512 pixels.
    defaults: [
      "cutMode": .string("deep-daze"), "optimizer": .string("adamp"), "learningRate": .number(3e-4),
      "width": .integer(96), "height": .integer(96),
    ], limitsColors: true
  ) { context in
    SIRENDrawer(
      .init(
        num_layers: context.integer("layers"), dim_hidden: context.integer("hidden"),
        w0_initial: context.number("thetaInitial"), w0: context.number("thetaHidden")),
      width: context.width, height: context.height, seed: context.seed,
      .init(
        iterations: context.integer("primingIterations"),
        learningRate: context.number("startImageLearningRate")), device: context.device)
  }
}
