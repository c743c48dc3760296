import Torch
import Weights

/// Parameters for training that start where a file has them, and are initialised where it does not.
final class StartingPoint: ParameterSource {
  private let file: SafeTensors?
  private let initializer: Initializer
  private let device: Device
  private(set) var parameters: [(key: String, tensor: Tensor)] = []
  /// What went wrong while reading the file.
  private(set) var problem: (any Error)?

  init(seed: UInt64, device: Device, file: SafeTensors? = nil) {
    self.file = file
    self.device = device
    initializer = Initializer(seed: seed, device: device)
  }

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    var tensor = initializer.parameter(path, shape, initial, role)
    if let file, file.entries[path]?.shape == shape {
      do {
        tensor = try file.weight(path).to(.float32).cloned().to(device).variable()
      } catch {
        problem = problem ?? error
      }
    }
    parameters.append((path, tensor))
    return tensor
  }

  /// Makes a model and gives back its parameters with it.
  static func build<Model>(
    seed: UInt64, device: Device, file: SafeTensors? = nil, _ body: (Parameters) -> Model
  ) throws -> (model: Model, parameters: [(key: String, tensor: Tensor)]) {
    let source = StartingPoint(seed: seed, device: device, file: file)
    let model = body(Parameters(source))
    if let problem = source.problem { throw problem }
    return (model, source.parameters)
  }
}
