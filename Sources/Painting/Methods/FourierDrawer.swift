import Foundation
import Torch

/// Draws by a spectrum: the parameters are the picture's Fourier coefficients in decorrelated colour, so
/// that one step moves coarse and fine alike (Olah, Mordvintsev & Schubert, "Feature Visualization",
/// 2017; sizes as in aphantasia and pixray's `fft` drawer).
final class FourierDrawer: Drawer, Remembering {
  /// What its pictures are like.
  struct Style {
    /// The power of the frequency by which amplitudes fall: larger is softer.
    var decay = 1.5
    /// The deviation that pictures have before the sigmoid.
    var contrast = 0.9
    /// How much stronger colours are than light.
    var colors = 1.5
  }

  /// Real and imaginary parts over the frequencies' amplitudes, `[1, 3, H, W / 2 + 1, 2]`.
  let spectrum: Tensor
  private let scale: Tensor  // [H, W / 2 + 1, 1]
  private let height: Int
  private let width: Int
  private let style: Style
  private let color: DecorrelatedColor
  private var contrast: EvenContrast

  /// Begins from noise.
  convenience init(
    width: Int, height: Int, _ style: Style = Style(), stream: RandomStream, device: Device
  ) {
    let noise = stream.normal([1, 3, height, width / 2 + 1, 2]) * 0.01
    self.init(noise.to(device), width: width, height: height, style, evensContrast: true)
  }

  /// Begins from a picture `[1, 3, H, W]` in 0…1.
  convenience init(picture: Tensor, _ style: Style = Style()) {
    let spectrum = Self.spectrum(of: picture, style)
    self.init(
      spectrum, width: picture.size(3), height: picture.size(2), style, evensContrast: false)
  }

  /// The spectrum that draws a picture, relative to the frequencies' amplitudes.
  private static func spectrum(of picture: Tensor, _ style: Style) -> Tensor {
    let (height, width) = (picture.size(2), picture.size(3))
    let scale = Self.scale(width: width, height: height, decay: style.decay, picture.device)
    let color = DecorrelatedColor(saturation: style.colors, picture.device)
    return color.colors(of: picture).rfft2() / scale
  }

  private init(
    _ spectrum: Tensor, width: Int, height: Int, _ style: Style, evensContrast: Bool
  ) {
    self.spectrum = spectrum.to(.float32).contiguous().cloned().variable()
    (self.width, self.height, self.style) = (width, height, style)
    contrast = EvenContrast(deviation: style.contrast, isEven: evensContrast)
    scale = Self.scale(width: width, height: height, decay: style.decay, spectrum.device)
    color = DecorrelatedColor(saturation: style.colors, spectrum.device)
  }

  var parameters: [Tensor] { [spectrum] }

  /// Where the contrast is evened out, sizes of coefficients mean nothing and steps may be large. A picture
  /// that was given has its sizes: with them a rate of 0.02 moves pixels by a tenth before the sigmoid.
  var rates: [Double] { [contrast.isEven ? 1 : 5 / unitStep] }

  /// By how much pixels differ before the sigmoid when each coefficient moves by one.
  private lazy var unitStep: Double = noGrad {
    let moves = RandomStream(seed: 1, "moves").normal(spectrum.shape).to(spectrum.device)
    return (moves * scale).irfft2(height, width).square().mean().sqrt().item()
  }

  func begin(from picture: Tensor) -> Bool {
    noGrad { spectrum.assign(Self.spectrum(of: picture, style)) }
    contrast.isEven = false
    return true
  }

  var memory: [String: Tensor] {
    get { contrast.memory }
    set { contrast.memory = newValue }
  }

  func render(_ iteration: Int?) -> Tensor {
    let x = (spectrum * scale).irfft2(height, width)  // [1, 3, H, W]
    return color.picture(of: contrast.isEven ? contrast.evened(x) : x)
  }

  /// The amplitude of each frequency in natural pictures, `[H, W / 2 + 1, 1]`.
  private static func scale(width: Int, height: Int, decay: Double, _ device: Device) -> Tensor {
    let lowest = 4 / Double(max(width, height))
    var values: [Float] = []
    for row in 0..<height {
      let y = Double(row <= (height - 1) / 2 ? row : row - height) / Double(height)
      for column in 0...width / 2 {
        let x = Double(column) / Double(width)
        let frequency = max((x * x + y * y).squareRoot(), lowest)
        values.append(Float(Double(width * height).squareRoot() / pow(frequency, decay)))
      }
    }
    return Tensor(values, [height, width / 2 + 1, 1]).to(device)
  }
}

extension Method {
  /// A spectrum, or wavelets, under CLIP's guidance.
  static let fourier = guided(
    "fft", title: "FFT+CLIP",
    "A spectrum is optimised, in decorrelated colour (Olah and others, 2017)",
    arguments: [
      .number("contrast", 0.1...20, default: 3, "How strong its contrasts are"),
      .number(
        "colors", 0.1...20, default: 2.5, "How strong its colours are beside light and dark"),
      .number("decay", 0...4, default: 2, "How soft its pictures are"),
      .choice(
        "basis", ["fourier", "wavelet"], default: "fourier",
        "Whether waves through the whole picture are optimised, or wavelets, which have places"),
    ],
    defaults: ["learningRate": .number(0.02)], limitsColors: true
  ) { context in
    let style = FourierDrawer.Style(
      decay: context.number("decay"), contrast: context.number("contrast"),
      colors: context.number("colors"))
    let (width, height, device) = (context.width, context.height, context.device)
    let stream = context.stream("first codes")
    if context.choice("basis") == "wavelet" {
      return WaveletDrawer(width: width, height: height, style, stream: stream, device: device)
    }
    return FourierDrawer(width: width, height: height, style, stream: stream, device: device)
  }
}
