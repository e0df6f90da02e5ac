import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { PrismaClient } from "@prisma/client";

const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: "file:/tmp/users.db" }) });

export const handler = async ({ name }) => {
  await prisma.$executeRaw`create table if not exists User (id integer primary key autoincrement, name text not null)`;
  await prisma.user.create({ data: { name } });
  return prisma.user.findFirst({ where: { name } });
};
