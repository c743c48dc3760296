import Imaging
import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct DrawerTests {
  private let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 12, 18]) * 0.9 + 0.05

  @Test(
    "a transform and its inverse give the picture back, of even and of odd width",
    arguments: [18, 17])
  func fourier(width: Int) {
    let x = RandomStream(seed: 2, "x").normal([2, 12, width])
    let spectrum = x.rfft2()
    #expect(spectrum.shape == [2, 12, width / 2 + 1, 2])
    expectClose(spectrum.irfft2(12, width), x, atol: 1e-5)
  }

  @Test("drawers that begin from a picture draw it")
  func begins() {
    for drawer in [FourierDrawer(picture: picture), PixelsDrawer(picture: picture)] as [any Drawer]
    {
      expectClose(drawer.render(nil), picture, atol: 1e-3, "\(drawer)")
    }
  }

  @Test(
    "wavelets draw a picture that they begin from, of any size, and a part of them a part of it",
    arguments: [(18, 12), (17, 13), (8, 8), (40, 64)])
  func wavelets(width: Int, height: Int) {
    let picture = RandomStream(seed: 1, "picture").uniform([1, 3, height, width]) * 0.9 + 0.05
    let drawer = WaveletDrawer(
      width: width, height: height, stream: RandomStream(seed: 3, "wavelets"), device: .cpu)
    #expect(drawer.render(nil).shape == picture.shape)
    #expect(drawer.begin(from: picture))
    expectClose(drawer.render(nil), picture, atol: 1e-3)
    let before = drawer.render(nil).detached()
    // The finest details of the corner.
    let corner = Tensor.zeros(drawer.parameters[drawer.parameters.count - 1].shape)
    corner.narrowed(2, 0, 1).narrowed(3, 0, 1).assign(Tensor.ones([1, 9, 1, 1]) * 0.05)
    let finest = drawer.parameters[drawer.parameters.count - 1]
    noGrad { finest.assign(finest + corner) }
    let change = (drawer.render(nil).detached() - before).abs()
    let count = change.atLeast(1e-4).sum().item()
    #expect(count > 0 && count <= 3 * 12 * 12, "\(count)")
  }

  @Test("wavelets' pictures are smooth, and other than a spectrum's")
  func smoothWavelets() async throws {
    let stream = RandomStream(seed: 3, "wavelets")
    let x = WaveletDrawer(width: 64, height: 64, stream: stream, device: .cpu).render(nil)
      .detached()
    let steps = (x.narrowed(3, 1, 63) - x.narrowed(3, 0, 63)).abs().mean().item()
    let spread = (x - x.mean()).abs().mean().item()
    #expect(steps < 0.7 * spread, "\(steps) of \(spread)")
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), threads: 1)
    func painted(_ basis: String?) async throws -> Picture {
      var request = Request("red fox")
      (request.method, request.width, request.height, request.seed) = ("fft", 32, 24, 1)
      (request.iterations, request.cutouts) = (2, 2)
      if let basis { request.arguments["basis"] = .string(basis) }
      return try await engine.picture(of: request)
    }
    #expect(try await painted("fourier") == painted(nil))
    #expect(try await painted("wavelet") != painted(nil))
  }

  @Test("a spectrum's pictures are smooth: neighbours are alike, and each colour varies")
  func smooth() {
    let stream = RandomStream(seed: 3, "spectrum")
    let x = FourierDrawer(width: 64, height: 64, stream: stream, device: .cpu).render(nil)
      .detached()
    let steps = (x.narrowed(3, 1, 63) - x.narrowed(3, 0, 63)).abs().mean().item()
    let spread = (x - x.mean()).abs().mean().item()
    // Of white noise the steps would be 1.4 times the spread.
    #expect(steps < 0.7 * spread, "\(steps) of \(spread)")
    #expect(x.amin().item() >= 0 && x.amax().item() <= 1)
  }

  @Test(
    "a spectrum that begins from a picture is moved a little by a step, however soft it is",
    arguments: [0, 1.5, 2, 4])
  func spectrumOfPicture(_ decay: Double) {
    let picture = RandomStream(seed: 7, "picture").uniform([1, 3, 24, 32]) * 0.6 + 0.2
    let drawer = FourierDrawer(
      width: 32, height: 24, .init(decay: decay, contrast: 3, colors: 2.5),
      stream: RandomStream(seed: 8, "start"), device: .cpu)
    #expect(drawer.rates == [1])
    #expect(drawer.begin(from: picture))
    let before = drawer.render(nil).detached()
    expectClose(before, picture, atol: 1e-3)
    let slope = RandomStream(seed: 9, "slope").normal(drawer.spectrum.shape)
    OptimizerName.adam.make([drawer.spectrum], decay: nil)
      .step([slope], rate: 0.02 * drawer.rates[0])
    let change = (drawer.render(nil) - before).abs().mean().item()
    #expect((0.002...0.05).contains(change), "\(change)")
  }

  @Test("gradients reach the parameters and agree with finite differences")
  func gradients() {
    let stream = RandomStream(seed: 4, "start")
    let weights = RandomStream(seed: 5, "weights").normal([1, 3, 8, 8])
    let drawers: [any Drawer] = [
      FourierDrawer(width: 8, height: 8, stream: stream, device: .cpu),
      PixelsDrawer(width: 8, height: 8, stream: stream, device: .cpu),
      WaveletDrawer(width: 8, height: 8, stream: stream, device: .cpu),
    ]
    for drawer in drawers {
      let parameter = drawer.parameters[0]
      let slope = gradient(of: (drawer.render(nil) * weights).sum(), at: [parameter])[0]
      let direction = RandomStream(seed: 6, "direction").normal(parameter.shape)
      let step = 1e-3 * parameter.detached().abs().mean().item()
      func value(_ sign: Double) -> Double {
        noGrad {
          let here = parameter.detached().cloned()
          parameter.assign(here + direction * (sign * step))
          defer { parameter.assign(here) }
          return (drawer.render(nil) * weights).sum().item()
        }
      }
      let expected = (value(1) - value(-1)) / (2 * step)
      let found = (slope * direction).sum().item()
      #expect(abs(found - expected) < 0.02 * abs(expected) + 1e-3, "\(type(of: drawer))")
    }
  }
}
