import Torch

/// What is optimised: something with parameters that draws a picture from them.
///
/// A drawer that draws by chance derives its numbers from its seed and the iteration, never from a
/// stream that goes on, so that a run can be taken up again at any iteration.
public protocol Drawer {
  /// The parameters, float32 variables, which an optimiser changes in place.
  var parameters: [Tensor] { get }
  /// How long a step of each parameter is, as a multiple of the request's learning rate.
  var rates: [Double] { get }
  /// What stands for the picture inside: regularisers may hold it near its beginning.
  var latent: Tensor? { get }
  /// What the drawer wants of its own parameters, beside what is wanted of the picture.
  var objectives: [any Objective] { get }
  /// The picture, `[1, 3, H, W]`, 0…1 or a little outside, with history to the parameters.
  /// - Parameter iteration: of the optimisation; nil for a picture to look at, without chance.
  func render(_ iteration: Int?) -> Tensor
  /// Brings the parameters back into their range, in place.
  func project()
  /// Draws this picture `[1, 3, H, W]` of 0…1 from now on, as well as it can.
  /// - Returns: whether it can do so at all; nothing is changed when it cannot.
  func begin(from picture: Tensor) -> Bool
}

extension Drawer {
  /// One for each parameter.
  public var rates: [Double] { parameters.map { _ in 1 } }
  /// None.
  public var latent: Tensor? { nil }
  /// Nothing.
  public var objectives: [any Objective] { [] }
  /// Nothing.
  public func project() {}
  /// It cannot.
  public func begin(from picture: Tensor) -> Bool { false }
}
