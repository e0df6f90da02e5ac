import { Controller, Module, Post, Req } from "@nestjs/common";

@Controller()
class AppController {
  @Post("orders/:id")
  answer(@Req() request: { readonly path: string }) {
    return { framework: "nest", path: request.path };
  }
}

@Module({ controllers: [AppController] })
export class AppModule {}
