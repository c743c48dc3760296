/// The tree of knowledge: who came from whom, and how each is called here.
enum TreeFigure {
  static var figure: Figure { Figure("tree", drawing: draw) }

  /// A work of the family.
  private struct Work {
    let id: String
    let title: String
    let who: String
    let column: Int
    let row: Int
    /// How it is asked for here; nil where it is not.
    let command: String?

    init(
      _ id: String, _ title: String, _ who: String, _ column: Int, _ row: Int,
      _ command: String? = nil
    ) {
      (self.id, self.title, self.who) = (id, title, who)
      (self.column, self.row, self.command) = (column, row, command)
    }
  }

  private static let times = ["2016–17", "2018–20", "2021", "", "", "", "2022"]

  private static let works = [
    Work("reed", "GAN from texts", "Reed and others, 2016", 0, 0),
    Work("attngan", "AttnGAN", "Xu and others, 2018", 0, 1, "--method attngan"),
    Work("biggan", "BigGAN", "Brock and others, 2018", 1, 1),
    Work("siren", "SIREN", "Sitzmann and others, 2020", 2, 1),
    Work("features", "Feature visualization", "Olah and others, 2017", 3, 0),
    Work("vqvae", "VQ-VAE", "van den Oord, 2017", 4, 0),
    Work("vqgan", "VQGAN", "Esser and others, 2020", 4, 1),
    Work("ddpm", "DDPM", "Ho and others, 2020", 6, 1),
    Work("clip", "CLIP", "Radford and others, January", 3, 2, "./reverie describe"),
    Work("dalle", "DALL·E", "Ramesh and others, January", 5, 2),
    Work("guided", "guided diffusion", "Dhariwal & Nichol, May", 6, 2),
    Work("bigsleep", "Big Sleep", "Murdock & Wang, January", 1, 3, "--method big-sleep"),
    Work("deepdaze", "Deep Daze", "Murdock & Wang, January", 2, 3, "--method deep-daze"),
    Work("vqganclip", "VQGAN+CLIP", "Crowson and others, April", 4, 3, "--method vqgan-clip"),
    Work("mini", "DALL·E mini", "Dayma and others, July", 5, 3, "--method dalle"),
    Work("clipguided", "CLIP-guided diffusion", "Crowson, June", 6, 3, "--method diffusion"),
    Work("clipdraw", "CLIPDraw", "Frans and others, June", 2, 4, "--method clipdraw"),
    Work("aphantasia", "Aphantasia", "Epstein", 3, 4, "--method fft"),
    Work("dvaeclip", "dVAE + CLIP", "Murdock; EleutherAI", 4, 4, "--method dvae-clip"),
    Work("disco", "Disco Diffusion", "Somnai and others, October", 6, 4, "--preset disco"),
    Work("pixray", "pixray", "White, autumn", 3, 5, "--method pixel, line"),
    Work("web", "pages with one button", "NightCafe, Wombo …", 4, 5, "./reverie serve"),
    Work("glide", "GLIDE", "Nichol and others, December", 5, 5, "--method glide"),
    Work("v", "v-diffusion", "Crowson, December", 6, 5, "--method diffusion"),
    Work("latent", "latent diffusion", "Rombach and others", 4, 6),
    Work("unclip", "unCLIP: DALL·E 2", "Ramesh and others, April", 5, 6, "--method unclip"),
  ]

  private static let branches: [(from: String, to: String)] = [
    ("reed", "attngan"), ("biggan", "bigsleep"), ("siren", "deepdaze"),
    ("vqvae", "vqgan"), ("vqvae", "dalle"), ("vqgan", "vqganclip"), ("vqgan", "mini"),
    ("dalle", "mini"),
    ("dalle", "dvaeclip"), ("ddpm", "guided"), ("guided", "clipguided"), ("clipguided", "disco"),
    ("guided", "glide"), ("glide", "unclip"), ("vqganclip", "pixray"), ("clipdraw", "pixray"),
    ("aphantasia", "pixray"),
  ]

  /// Within a column, past what stands between.
  private static let detours: [(from: String, to: String, isLeft: Bool)] = [
    ("features", "aphantasia", true), ("vqgan", "latent", true), ("vqganclip", "web", false),
    ("guided", "v", false),
  ]

  /// What CLIP leads, or chooses among.
  private static let led = [
    "bigsleep", "deepdaze", "vqganclip", "dvaeclip", "clipguided", "clipdraw", "aphantasia",
    "unclip", "mini",
  ]

  private static let (left, top, width, height, gapX, gapY) = (66.0, 16.0, 142.0, 58.0, 14.0, 40.0)

  private static func corner(_ work: Work) -> (x: Double, y: Double) {
    (left + Double(work.column) * (width + gapX), top + Double(work.row) * (height + gapY))
  }

  private static func corner(_ id: String) -> (x: Double, y: Double) {
    guard let work = works.first(where: { $0.id == id }) else { preconditionFailure("no '\(id)'") }
    return corner(work)
  }

  private static func draw() async throws -> Drawing {
    var drawing = Drawing(
      width: Int(left + 7 * (width + gapX)) + 4, height: Int(top + 7 * (height + gapY)) - 20,
      title:
        "The family of text-to-image methods: who came from whom, and the command that each has here"
    )
    for (row, time) in times.enumerated() {
      drawing.text(time, 8, top + Double(row) * (height + gapY) + height / 2 + 4, .soft, size: 12)
    }
    func connect(_ from: String, _ to: String, _ ink: Drawing.Ink, dashed: Bool) {
      let (a, b) = (corner(from), corner(to))
      drawing.branch((a.x + width / 2, a.y + height), (b.x + width / 2, b.y), ink, dashed: dashed)
    }
    for id in led { connect("clip", id, .a, dashed: true) }
    for (from, to) in branches { connect(from, to, .soft, dashed: false) }
    for (from, to, isLeft) in detours {
      let (a, b) = (corner(from), corner(to))
      let side = isLeft ? 0 : width
      let lane = a.x + side + (isLeft ? -7 : 7)
      drawing.line(
        [
          (a.x + side, a.y + height / 2), (lane, a.y + height / 2), (lane, b.y + height / 2),
          (b.x + side, b.y + height / 2),
        ],
        .soft, width: 1.5)
    }
    for work in works { draw(work, onto: &drawing) }
    legend(onto: &drawing)
    return drawing
  }

  private static func draw(_ work: Work, onto drawing: inout Drawing) {
    let (x, y) = corner(work)
    let ink: Drawing.Ink = work.id == "clip" ? .a : work.command == nil ? .line : .c
    drawing.box(x, y, width, height, .paper, share: 1, round: 7)
    drawing.box(x, y, width, height, ink, share: 0.1, round: 7)
    drawing.box(x, y, width, height, ink, round: 7, stroke: work.id == "clip" ? 2 : 1.2)
    let middle = x + width / 2
    drawing.text(
      work.title, middle, y + (work.command == nil ? 25 : 18), anchor: .middle,
      size: work.title.count > 16 ? 11 : 13, bold: true)
    drawing.text(
      work.who, middle, y + (work.command == nil ? 41 : 33), .soft, anchor: .middle, size: 10)
    if let command = work.command {
      drawing.text(command, middle, y + 49, ink, anchor: .middle, size: 11, mono: true)
    }
  }

  private static func legend(onto drawing: inout Drawing) {
    let (x, y) = (left, top + 4 * (height + gapY) + 20)
    drawing.box(x, y, 26, 16, .c, share: 0.1, round: 4)
    drawing.box(x, y, 26, 16, .c, round: 4)
    drawing.text("in Reverie, and how it is asked for", x + 36, y + 13, .soft, size: 12)
    drawing.box(x, y + 28, 26, 16, .line, round: 4)
    drawing.text("where that came from", x + 36, y + 41, .soft, size: 12)
    drawing.line([(x, y + 64), (x + 26, y + 64)], .soft, width: 1.5)
    drawing.text("grew out of", x + 36, y + 68, .soft, size: 12)
    drawing.line([(x, y + 91), (x + 26, y + 91)], .a, width: 1.5, dashed: true)
    drawing.text("CLIP leads it, tells it what is", x + 36, y + 95, .soft, size: 12)
    drawing.text("wanted, or chooses among its pictures", x + 36, y + 111, .soft, size: 12)
  }
}
