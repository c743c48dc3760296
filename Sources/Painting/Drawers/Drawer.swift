import Torch

/// What is optimised: something with parameters that draws a picture from them.
public protocol Drawer {
  /// The parameters, float32 variables.
  var parameters: [Tensor] { get }
  /// The picture, `[1, 3, H, W]`, 0…1 or a little outside, with history to the parameters.
  func render() -> Tensor
  /// Brings the parameters back into their range, in place.
  func project()
}
