import Painting
import Torch

/// Draws horizontal stripes: the parameters are their colours.
struct Stripes: Drawer {
  /// `[1, 3, N, 1]` in 0…1.
  private let colors: Tensor
  private let context: PartContext

  init(_ context: PartContext) {
    self.context = context
    let shape = [1, 3, context.integer("stripes"), 1]
    colors = context.stream("stripes").uniform(shape).to(context.device).variable()
  }

  var parameters: [Tensor] { [colors] }

  func render(_ iteration: Int?) -> Tensor {
    colors.resampled(context.height, context.width, .nearest)  // [1, 3, H, W]
  }

  func project() { noGrad { colors.assign(colors.clamped(0, 1)) } }

  func begin(from picture: Tensor) -> Bool {
    noGrad { colors.assign(picture.adaptiveAveragePooled(colors.size(2), 1)) }
    return true
  }
}

extension Method {
  static let stripes = guided(
    "stripes", title: "Stripes", "Horizontal stripes of one colour each are optimised",
    arguments: [.integer("stripes", 1...256, default: 12, "Number of stripes")],
    defaults: ["learningRate": .number(0.03)]
  ) { Stripes($0) }
}
