import Torch

/// A network of sines that knows a picture as a function of position (Sitzmann et al., "Implicit Neural
/// Representations with Periodic Activation Functions", 2020).
///
/// Follows siren-pytorch 0.1.7, as Deep Daze uses it, keys verbatim. Difference: the frequency is
/// multiplied into weights and biases instead of every position's sums, which is the same function.
public struct SIREN {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Layers with a sine.
    public var num_layers: Int
    /// Width of these layers.
    public var dim_hidden: Int
    /// Frequency of the first layer.
    public var w0_initial: Double
    /// Frequency of the others.
    public var w0: Double

    /// A configuration; what is left out is Deep Daze's.
    public init(
      num_layers: Int = 16, dim_hidden: Int = 256, w0_initial: Double = 30, w0: Double = 30
    ) {
      self.num_layers = num_layers
      self.dim_hidden = dim_hidden
      self.w0_initial = w0_initial
      self.w0 = w0
    }
  }

  /// The shape of the network.
  public let config: Config
  let layers: [Linear]
  let last_layer: Linear

  /// The network with parameters at `p`, which begin as the paper says: uniform within ±1 / in at the
  /// first layer, ±√(6 / in) / w0 at the others, biases alike.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let width = config.dim_hidden
    let bound = (6 / Double(width)).squareRoot() / config.w0
    layers = (0..<config.num_layers).map { index in
      let inputs = index == 0 ? 2 : width
      let initial = Initial.uniform(index == 0 ? 1 / Double(inputs) : bound)
      return Linear(
        p / "net" / "layers" / index, inputs, width, initial: initial, initialBias: initial)
    }
    last_layer = Linear(
      p / "net" / "last_layer", width, 3, initial: .uniform(bound), initialBias: .uniform(bound))
  }

  /// The values at these positions.
  /// - Parameter positions: `[N, 2]` as (y, x), each from -1 to 1.
  /// - Returns: `[N, 3]`, about -1…1.
  public func callAsFunction(_ positions: Tensor) -> Tensor {
    var x = positions
    for (index, layer) in layers.enumerated() {
      let frequency = index == 0 ? config.w0_initial : config.w0
      x = x.linear(layer.weight * frequency, layer.bias.map { $0 * frequency }).sin()
    }
    return last_layer(x)
  }

  /// The positions of a picture's pixels, row by row: `[H W, 2]`.
  public static func positions(height: Int, width: Int, device: Device = .cpu) -> Tensor {
    let rows = Tensor(line(height), [height, 1, 1]).expanded([height, width, 1])
    let columns = Tensor(line(width), [1, width, 1]).expanded([height, width, 1])
    return concatenated([rows, columns], over: 2).reshaped(height * width, 2).to(device)
  }

  /// Keys of the package's checkpoints that are no parameters: the positions.
  public static let leftovers = ["grid"]

  /// Numbers evenly from -1 to 1.
  private static func line(_ count: Int) -> [Float] {
    guard count > 1 else { return [-1] }
    return (0..<count).map { Float(-1 + 2 * Double($0) / Double(count - 1)) }
  }
}
