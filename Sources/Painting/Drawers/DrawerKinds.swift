import Models
import Torch

extension DrawerKind {
  /// The drawers of the program, in the order of help.
  static let builtIn: [DrawerKind] = [
    .vqgan, .diffusion, .dvae, .bigSleep, .deepDaze, .fourier, .pixels, .pixel,
    .line, .clipDraw, .superResolution,
  ]

  static let vqgan = DrawerKind(
    "vqgan-clip", title: "VQGAN+CLIP",
    "A VQGAN's latent is optimised (Crowson and others, 2021)", needs: .vqgan,
    arguments: [
      .choice(
        "latent", ["z", "logits"], standard: "z",
        "Whether the latent itself is optimised, or logits of codes that are drawn by chance"),
      .choice(
        "clampLatent", ["yes", "no"], standard: "yes",
        "Whether the latent is kept in the codebook's range; the MSE-regularised notebook does not"),
    ]
  ) { setting in
    switch try setting.drawing() {
    case .vqgan(let vqgan):
      if setting.text("latent") == "logits" { return CodebookDrawer(vqgan, setting) }
      return VQGANDrawer(
        vqgan, width: setting.width, height: setting.height, stream: setting.stream("first codes"),
        device: setting.device, clamped: setting.text("clampLatent") != "no")
    // A dVAE that is named with --model draws in its own way.
    case .dvae(let decoder, let encoder, let config):
      return DVAEDrawer(decoder, encoder, config, setting)
    }
  }

  static let dvae = DrawerKind(
    "dvae-clip", title: "dVAE+CLIP",
    "Logits of the codes of DALL·E's dVAE are optimised, one code drawn at each place",
    needs: .dvae,
    arguments: [
      .choice(
        "codes", ["drawn", "likeliest"], standard: "drawn",
        "Whether codes are drawn by chance on the way, as the notebook does"),
      .choice(
        "artefacts", ["avoid", "keep"], standard: "avoid",
        "Whether codes that mostly draw artefacts are left out"),
    ], standards: ["learningRate": .number(0.05)]
  ) { setting in
    guard let networks = setting.networks,
      case .dvae(let decoder, let encoder, let config) = try networks.dvae(setting.model)
    else {
      throw RequestError.badValue(
        field: "model", reason: "must name an installed dVAE for dvae-clip")
    }
    return DVAEDrawer(decoder, encoder, config, setting)
  }

  static let fourier = DrawerKind(
    "fft", title: "FFT+CLIP",
    "A spectrum is optimised, in decorrelated colour (Olah and others, 2017)",
    arguments: [
      .number("contrast", 0.1...20, standard: 3, "How strong its contrasts are"),
      .number(
        "colors", 0.1...20, standard: 2.5, "How strong its colours are beside light and dark"),
      .number("decay", 0...4, standard: 2, "How soft its pictures are"),
    ],
    standards: ["learningRate": .number(0.02)]
  ) { setting in
    FourierDrawer(
      width: setting.width, height: setting.height,
      .init(
        decay: setting.number("decay"), contrast: setting.number("contrast"),
        colors: setting.number("colors")),
      stream: setting.stream("first codes"), device: setting.device)
  }

  static let pixels = DrawerKind(
    "pixels", title: "pixels+CLIP", "Plain pixels are optimised",
    standards: [
      "learningRate": .number(0.05),
      // Without it pixels become the noise that pleases this one CLIP.
      "objectives": .array([PartSpec("tv", weight: 5, ["kind": .string("isotropic")]).json]),
    ]
  ) { setting in
    PixelsDrawer(
      width: setting.width, height: setting.height, stream: setting.stream("first codes"),
      device: setting.device)
  }
}

extension Setting {
  /// The network that draws, by the request's choice.
  func drawing() throws -> DrawingModel {
    guard let networks else {
      throw RequestError.badValue(field: "method", reason: "needs a network to draw with")
    }
    return try networks.drawing(model)
  }
}
