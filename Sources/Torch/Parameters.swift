/// How a parameter starts when it is not read from a file.
public enum Initial: Sendable, Equatable {
  case zeros, ones
  case constant(Double)
  case normal(Double)
  /// Uniform between minus the bound and the bound.
  case uniform(Double)
  /// PyTorch's default for linear layers and convolutions: uniform within ±1/√fan-in.
  case kaimingUniform
}

/// What a parameter is for; it decides its type when a checkpoint is cast.
public enum Role: Sendable {
  /// Multiplied with activations: follows the compute type.
  case weight
  /// Gains, biases of norms, codebooks, scales: stays float32.
  case precise
}

/// Where parameters come from: a checkpoint or an initialiser.
///
/// A lookup never fails on the spot. What does not fit is noted, and a placeholder is given, so that
/// one error can name everything at the end.
public protocol ParameterSource: AnyObject {
  /// The parameter at `path`, of exactly this shape.
  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor

  /// The matrix at `path`, which may be held in eight bits: on devices that have a product with it.
  func matrix(_ path: String, _ shape: [Int], _ initial: Initial) -> Matrix
}

extension ParameterSource {
  /// In floating point.
  public func matrix(_ path: String, _ shape: [Int], _ initial: Initial) -> Matrix {
    .floats(parameter(path, shape, initial, .weight))
  }
}

/// A place in the tree of parameters. Layers are made and named in one expression:
/// `Linear(p / "c_fc", width, 4 * width)`. Paths are the reference checkpoint's keys, verbatim.
public struct Parameters {
  /// The dotted path, empty at the root.
  public let path: String
  private let source: any ParameterSource

  /// The root of a source.
  public init(_ source: any ParameterSource) {
    self.init(path: "", source)
  }

  private init(path: String, _ source: any ParameterSource) {
    self.path = path
    self.source = source
  }

  /// The place `name` below this one.
  public static func / (p: Parameters, name: String) -> Parameters {
    Parameters(path: p.path.isEmpty ? name : p.path + "." + name, p.source)
  }

  /// The place `index` below this one, as in a list of layers.
  public static func / (p: Parameters, index: Int) -> Parameters { p / String(index) }

  /// The parameter `name` here, of exactly this shape.
  public func callAsFunction(
    _ name: String, _ shape: [Int], _ initial: Initial = .kaimingUniform, _ role: Role = .weight
  ) -> Tensor {
    source.parameter((self / name).path, shape, initial, role)
  }

  /// The matrix `name` here, of exactly this shape, which may be held in eight bits.
  public func matrix(_ name: String, _ shape: [Int], _ initial: Initial = .kaimingUniform) -> Matrix
  {
    source.matrix((self / name).path, shape, initial)
  }
}

/// Fresh parameters for training, each drawn from a stream of its own path, so that the start of one
/// layer does not depend on the others.
public final class Initializer: ParameterSource {
  private let seed: UInt64
  private let device: Device
  /// Every parameter made so far, in order; all are variables.
  public private(set) var parameters: [(key: String, tensor: Tensor)] = []

  /// - Parameters:
  ///   - seed: of all streams.
  ///   - device: where the parameters live.
  public init(seed: UInt64, device: Device = .cpu) {
    self.seed = seed
    self.device = device
  }

  /// Makes the parameter; see `ParameterSource`.
  public func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor
  {
    let stream = RandomStream(seed: seed, "initial " + path)
    let value =
      switch initial {
      case .zeros: Tensor.zeros(shape)
      case .ones: Tensor.ones(shape)
      case .constant(let value): Tensor.full(shape, value)
      case .normal(let deviation): stream.normal(shape) * deviation
      case .uniform(let bound): (stream.uniform(shape) * 2 - 1) * bound
      case .kaimingUniform:
        (stream.uniform(shape) * 2 - 1)
          * (1 / Double(max(1, shape.dropFirst().reduce(1, *))).squareRoot())
      }
    let tensor = value.to(device).variable()
    parameters.append((path, tensor))
    return tensor
  }
}
