import Painting
import Torch

/// Draws horizontal stripes: the parameters are their colours.
struct Stripes: Drawer {
  /// `[1, 3, N, 1]` in 0…1.
  private let colors: Tensor
  private let setting: Setting

  init(_ setting: Setting) {
    self.setting = setting
    let count = setting.integer("stripes") ?? 1
    colors = setting.stream("stripes").uniform([1, 3, count, 1]).to(setting.device).variable()
  }

  var parameters: [Tensor] { [colors] }

  func render(_ iteration: Int?) -> Tensor {
    colors.resampled(setting.height, setting.width, .nearest)  // [1, 3, H, W]
  }

  func project() { noGrad { colors.assign(colors.clamped(0, 1)) } }

  func begin(from picture: Tensor) -> Bool {
    noGrad { colors.assign(picture.adaptiveAveragePooled(colors.size(2), 1)) }
    return true
  }
}

extension DrawerKind {
  static let stripes = DrawerKind(
    "stripes", title: "Stripes", "Horizontal stripes of one colour each are optimised",
    arguments: [.integer("stripes", 1...256, standard: 12, "Number of stripes")],
    standards: ["learningRate": .number(0.03)]
  ) { Stripes($0) }
}
